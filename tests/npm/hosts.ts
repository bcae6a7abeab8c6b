import assert from "node:assert/strict";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { withExampleServer } from "../../testing/servers/example_server.ts";
import { documents } from "../../testing/texts/markdown.ts";
import { assertGoesOn, assertStaysOpen } from "../../testing/servers/stays_open.ts";
import { run } from "../../tools/npm/run.ts";
import type { Project } from "./project.ts";
import { toJavaScript } from "./project.ts";

// Streams, and requests that stay open, on the hosts in the documents, for longer than each host
// allows quiet connections. Next.js is tested beside its example.

const ROOT = new URL("../../", import.meta.url);

/** Longer than {@linkcode shortTimeouts} allow a connection without an exception. */
export const QUIET_ON_NODE_MS = 2_000;

/** Bun closes connections up to four seconds later than the timeout, which is five here at most. */
const QUIET_ON_BUN_MS = 9_000;

/** Returns arguments that shorten the five minutes of Node's server to a second. */
export async function shortTimeouts(project: Project): Promise<string[]> {
  await project.writeScript("short_timeouts.js", new URL("./short_timeouts.ts", import.meta.url));
  return ["--import", `file://${project.folder}short_timeouts.js`];
}

/** Registers the tests of hosts, in a project that installed everything. */
export function testHosts(
  project: Project,
  { node, bun, workerd }: { node: string; bun?: string; workerd?: string },
): void {
  const health = "/taskcast/health";

  Deno.test("npm: quiet streams and requests stay open in Fastify, as the guide says", async () => {
    const block = await blockWith("docs/guides/deployment.md", "function listenWithFastify");
    await project.write("fastify.js", toJavaScript(block));
    await project.writeScript("fastify_host.js", new URL("./fastify_host.ts", import.meta.url));
    const command: CommandWords = [node, ...await shortTimeouts(project), "fastify_host.js"];
    await withExampleServer({ command, folder: project.folder, health }, async (url) => {
      await assertStaysOpen(`${url}/taskcast`, QUIET_ON_NODE_MS);
    });
  });

  Deno.test({
    name: "npm: quiet streams and requests stay open in Bun.serve, beyond its idle timeout",
    ignore: bun === undefined,
  }, async () => {
    await project.writeScript("bun_serve.js", new URL("./bun_serve.ts", import.meta.url));
    const serve = (givesServer: "yes" | "no", use: (base: string) => Promise<void>) =>
      withExampleServer({
        command: ["env", `GIVES_SERVER=${givesServer}`, bun!, "bun_serve.js"],
        folder: project.folder,
        health,
      }, (url) => use(`${url}/taskcast`));
    await Promise.all([
      serve("yes", (base) => assertStaysOpen(base, QUIET_ON_BUN_MS)),
      // Bun has no exceptions: streams stay open through heartbeats, and producers continue in new
      // requests.
      serve("no", (base) => assertGoesOn(base, QUIET_ON_BUN_MS)),
    ]);
  });

  Deno.test({
    name: "npm: quiet streams and requests stay open in a Durable Object of workerd",
    ignore: workerd === undefined,
  }, async () => {
    const entry = new URL("./durable_object.ts", import.meta.url).pathname;
    const bundle = ["bundle", "--quiet", "--platform", "browser", "--external", "node:*"];
    await run(Deno.execPath(), [...bundle, "-o", `${project.folder}durable_object.js`, entry], {
      cwd: ROOT,
    });
    await project.write("durable_object.capnp", WORKERD_CONFIG);
    const serve = 'exec "$0" serve durable_object.capnp --socket-addr "http=127.0.0.1:$PORT"';
    const command: CommandWords = ["sh", "-c", serve, workerd!];
    await withExampleServer({ command, folder: project.folder, health }, async (url) => {
      await assertStaysOpen(`${url}/taskcast`, QUIET_ON_NODE_MS);
      await assertGoesOn(`${url}/taskcast`, QUIET_ON_NODE_MS);
    });
  });
}

/** A Worker with one Durable Object, whose address is given on the command line. */
const WORKERD_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "durable_object.js") ],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [ (className = "Tasks", uniqueKey = "taskcast") ],
  durableObjectStorage = (inMemory = void),
  bindings = [ (name = "TASKS", durableObjectNamespace = "Tasks") ],
);
`;

/** Returns the block of a document that contains a text. */
async function blockWith(file: string, text: string): Promise<string> {
  const found = (await documents()).find((document) => document.file === file)?.blocks
    .find((block) => block.text.includes(text));
  assert(found, `${file} has ${text}`);
  return found.text;
}
