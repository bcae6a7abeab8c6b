import { withExampleServer } from "../support/example_server.ts";
import { assertGoesOn, assertStaysOpen } from "../support/stays_open.ts";
import type { Project } from "./project.ts";

// Streams, and requests that stay open, on the hosts that the documents name, for longer than each
// lets a connection be quiet. Node has its
// tests beside those of the examples.

/** Longer than {@linkcode shortTimeouts} allow what a host was not told. */
export const QUIET_ON_NODE_MS = 2_000;

/** Bun closes connections up to four seconds later than it says, which here is five at most. */
const QUIET_ON_BUN_MS = 9_000;

/** Arguments with which Node's server has a second for what it has five minutes for. */
export async function shortTimeouts(project: Project): Promise<string[]> {
  await project.writeScript("short_timeouts.js", new URL("short_timeouts.ts", import.meta.url));
  return ["--import", `file://${project.folder}short_timeouts.js`];
}

/** Registers the tests of hosts, in a project that installed everything. */
export function testHosts(project: Project, bun: string | undefined): void {
  Deno.test({
    name: "npm: quiet streams and requests stay open in Bun.serve, beyond its idle timeout",
    ignore: bun === undefined,
  }, async () => {
    await project.writeScript("bun_serve.js", new URL("bun_serve.ts", import.meta.url));
    const serve = (givesServer: "yes" | "no", use: (base: string) => Promise<void>) =>
      withExampleServer({
        command: ["env", `GIVES_SERVER=${givesServer}`, bun!, "bun_serve.js"],
        folder: project.folder,
        health: "/taskcast/health",
      }, (url) => use(`${url}/taskcast`));
    await Promise.all([
      serve("yes", (base) => assertStaysOpen(base, QUIET_ON_BUN_MS)),
      // Bun cannot be told: streams live by their heartbeats, producers by going on.
      serve("no", (base) => assertGoesOn(base, QUIET_ON_BUN_MS)),
    ]);
  });
}
