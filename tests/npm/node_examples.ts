import assert from "node:assert/strict";
import { dirname } from "node:path";
import ts from "typescript";
import { run } from "../../tools/npm/run.ts";
import { walk } from "../../tools/walk.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { assertDrains, assertEmbeds } from "../../testing/servers/embedded_example.ts";
import { withExampleServer } from "../../testing/servers/example_server.ts";
import { testFetchWorkers } from "../../testing/servers/fetch_workers.ts";
import { assertGoesOn, assertStaysOpen } from "../../testing/servers/stays_open.ts";
import type { ExampleFolder } from "../../tools/example_folders.ts";
import { exampleFolders } from "../../tools/example_folders.ts";
import { QUIET_ON_NODE_MS, shortTimeouts } from "./hosts.ts";
import type { Project } from "./project.ts";
import { toJavaScript } from "./project.ts";
import { nodeOf } from "./runtimes.ts";

/** Examples of servers that embed Taskcast; `packages_test.ts` checks their types. */
export const SERVERS: readonly string[] = ["express", "hono_node"];

/** Registers the tests of the examples that run on Node, in a project that installed everything. */
export async function testNodeExamples(project: Project): Promise<void> {
  const examples = await exampleFolders();
  const [node20, node24] = [await nodeOf(20), await nodeOf(24)];

  Deno.test("npm: examples install what they import", async () => {
    for (const { name, url, dependencies } of examples) {
      for await (const path of walk(url)) {
        if (!/\.tsx?$/.test(path)) continue;
        for (const imported of importsOf(await Deno.readTextFile(new URL(path, url)))) {
          const [, dependency] = /^((?:@[^/]+\/)?[^/]+)/.exec(imported)!;
          if (/^(\.|node:)/.test(imported)) continue;
          assert(dependency! in dependencies, `examples/${name}/${path} imports ${imported}`);
        }
      }
    }
  });

  for (const name of SERVERS) {
    const folder = `${project.folder}examples/${name}`;
    const { start } = examples.find((example) => example.name === name)!;

    Deno.test(`npm: examples/${name} works as written on Node 24`, async () => {
      const command = started(start, node24, await shortTimeouts(project));
      const server = { command, folder, health: "/taskcast/health" };
      const code = await withExampleServer(server, async (url, child) => {
        await assertEmbeds(url);
        await assertStaysOpen(`${url}/taskcast`, QUIET_ON_NODE_MS);
        await assertDrains(url, child);
      });
      assert.equal(code, 0);
    });

    Deno.test(`npm: examples/${name} works when compiled on Node 20`, async () => {
      const text = await Deno.readTextFile(`${folder}/server.ts`);
      await Deno.writeTextFile(`${folder}/server.js`, toJavaScript(text));
      const command: CommandWords = [node20, "server.js"];
      await withExampleServer({ command, folder, health: "/taskcast/health" }, assertEmbeds);
    });
  }

  await testNextjs(project, examples.find(({ name }) => name === "nextjs")!, node24);
  testFetchWorkers("Node 20", [node20]);
}

/** Returns the program of `npm start`. npm itself would not pass signals on. */
function started(
  [program, ...args]: string[],
  node: string,
  options: readonly string[],
): CommandWords {
  assert.equal(program, "node");
  return [node, ...options, ...args];
}

async function testNextjs(project: Project, { start }: ExampleFolder, node: string): Promise<void> {
  const folder = `${project.folder}examples/nextjs`;
  const PATH = `${dirname(node)}:${Deno.env.get("PATH")}`;
  const next = `${project.folder}node_modules/next/dist/bin/next`;
  const command: CommandWords = [node, next, ...start.slice(1)];

  Deno.test("npm: examples/nextjs is built, with its types checked, and works on Node 24", async () => {
    await run(node, [next, "build"], { cwd: folder, env: { PATH, NEXT_TELEMETRY_DISABLED: "1" } });
    // On SIGTERM, Next waits for a kept-alive connection that has carried NDJSON.
    const [program, ...args] = command;
    const limited: CommandWords = [program, ...await shortTimeouts(project), ...args];
    await withExampleServer({ command: limited, folder, signal: "SIGKILL" }, async (url) => {
      await assertEmbeds(url);
      await assertGoesOn(`${url}/taskcast`, QUIET_ON_NODE_MS);
    });
    await withExampleServer({ command, folder }, assertDrains);
  });

  Deno.test("npm: examples/nextjs: streams stay whole under next dev on Node 24", async () => {
    // Its own process starts the one that serves, and ends it on SIGTERM.
    const timeouts = await shortTimeouts(project);
    const development: CommandWords = [
      "env",
      "NEXT_TELEMETRY_DISABLED=1",
      node,
      ...timeouts,
      next,
      "dev",
    ];
    await withExampleServer({ command: development, folder }, async (url) => {
      await assertEmbeds(url);
      await assertGoesOn(`${url}/taskcast`, QUIET_ON_NODE_MS);
    });
  });

  await browserTest("npm: examples/nextjs: its page shows the text", async (page) => {
    // On SIGTERM, Next waits for a connection that the browser has opened and not used yet.
    await withExampleServer({ command, folder, signal: "SIGKILL" }, async (url) => {
      await page.goto(url);
      await page.click("text=Start");
      await page.locator("p", { hasText: /^one two three$/ }).waitFor();
    });
  });
}

function importsOf(text: string): string[] {
  return ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
}
