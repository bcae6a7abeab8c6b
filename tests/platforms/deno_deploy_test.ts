import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { freePort } from "../../testing/network/free_port.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// The folder examples/deno_deploy as a user copies it, outside of this repository. Only its
// packages from JSR come from here.

const ROOT = new URL("../../", import.meta.url);
const EXAMPLE = new URL("examples/deno_deploy/", ROOT);

interface DenoJson {
  imports: Record<string, string>;
  unstable: string[];
}

async function readJson<T>(path: string | URL): Promise<T> {
  return JSON.parse(await Deno.readTextFile(path));
}

/** Returns the local paths of the packages that the example imports, by the names in its code. */
async function localImports(imports: Record<string, string>): Promise<Record<string, string>> {
  const { workspace, imports: ours } = await readJson<DenoJson & { workspace: string[] }>(
    new URL("deno.json", ROOT),
  );
  const local: Record<string, string> = { ...ours };
  const wanted = new Map(Object.entries(imports));
  for (const member of workspace) {
    const folder = new URL(`${member}/`, ROOT);
    const { name, version, exports } = await readJson<
      { name: string; version: string; exports: string | Record<string, string> }
    >(new URL("deno.json", folder));
    if (wanted.has(name)) {
      assert.equal(wanted.get(name), `jsr:${name}@^${version}`);
      wanted.delete(name);
    }
    for (
      const [path, file] of Object.entries(typeof exports === "string" ? { ".": exports } : exports)
    ) {
      local[name + path.slice(1)] = new URL(file, folder).href;
    }
  }
  assert.deepEqual([...wanted.keys()], [], "all imports are Taskcast's packages");
  return local;
}

/** Copies the example into a folder. */
async function copyExample(folder: string): Promise<void> {
  const { imports, ...rest } = await readJson<DenoJson>(new URL("deno.json", EXAMPLE));
  const config = { ...rest, imports: await localImports(imports) };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  await Deno.copyFile(new URL("main.ts", EXAMPLE), `${folder}/main.ts`);
}

/** Starts something like an isolate: a process that serves the example. */
async function start(
  folder: string,
  env: Record<string, string>,
): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const port = freePort();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "serve",
      "-A",
      "--quiet",
      "--no-lock",
      "--host",
      "127.0.0.1",
      "--port",
      `${port}`,
      "main.ts",
    ],
    cwd: folder,
    env: { KV_PATH: "tasks.kv", ...env },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL"); // Isolates are not asked to stop, either.
    await child.status;
  };
  try {
    await until(async () => {
      const response = await fetch(`${url}/health`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok === true;
    }, "it serves");
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

Deno.test("examples/deno_deploy: isolates share tasks, and nothing is lost when one ends", async () => {
  await using folder = await tempFolder();
  await copyExample(folder.path);
  const text = "a b c d e f ".repeat(20);
  await using reading = await start(folder.path, {});
  const stream = new TaskcastClient({ baseUrl: reading.url }).stream("t");
  const publish = async (url: string, words: string[]) => {
    const taskcast = new TaskcastServerClient({ baseUrl: url });
    for (const delta of words) {
      await taskcast.publishEvent("t", {
        type: "token",
        data: { delta },
        seriesId: "answer",
        seriesMode: "accumulate",
      });
    }
  };
  const words = text.match(/\w /g)!;
  let read: Promise<void>;
  {
    await using first = await start(folder.path, {});
    await new TaskcastServerClient({ baseUrl: first.url }).createTask({ id: "t" });
    read = (async () => {
      for await (const _ of stream);
    })();
    await publish(first.url, words.slice(0, 60));
  }
  await using second = await start(folder.path, {});
  await publish(second.url, words.slice(60));
  await new TaskcastServerClient({ baseUrl: second.url }).transitionTask("t", "completed");
  await read;
  assert.equal(stream.reason, "completed");
  assert.equal(stream.text("answer"), text);
});

Deno.test("examples/deno_deploy: with a secret it serves nobody without a token", async () => {
  await using folder = await tempFolder();
  await copyExample(folder.path);
  await using server = await start(folder.path, { TASKCAST_JWT_SECRET: "x".repeat(32) });
  const response = await fetch(`${server.url}/tasks`, { method: "POST" });
  await response.body?.cancel();
  assert.equal(response.status, 401);
});
