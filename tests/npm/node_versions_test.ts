import assert from "node:assert/strict";
import { dirname } from "node:path";
import { run } from "../../tools/npm/run.ts";
import { type CommandWords, startCli } from "../../testing/servers/cli.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { openProject, toJavaScript } from "./project.ts";
import { nodeOf } from "./runtimes.ts";

// The installed packages on each version of Node: embedded, as a command, and every adapter.

const project = await openProject();

const redis = await redisUrl();
const postgres = await postgresUrl();
const stores = { REDIS_URL: redis ?? "", DATABASE_URL: postgres ?? "" };
const hasStores = redis !== undefined && postgres !== undefined;

/** Adapters whose conformance runs on each version of Node. */
const SUITES: Readonly<Record<number, string>> = {
  20: "memory,redis,postgres,deno-kv", // Node 20 has no SQLite of its own.
  22: "sqlite,redis",
  24: "sqlite,postgres,deno-kv",
};

/** Returns the last descendant of a process. */
async function youngest(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-P", `${pid}`] }).output();
  const [child] = new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number);
  return child === undefined ? pid : await youngest(child);
}

for (const [version, suites] of Object.entries(SUITES)) {
  const node = await nodeOf(Number(version));
  const PATH = `${dirname(node)}:${Deno.env.get("PATH")}`;

  Deno.test({
    name: `npm: the guide's embedded example works as written on Node ${version}`,
    ignore: !hasStores,
  }, async () => {
    const guide = new URL("../docs/guide/embedded.ts.txt", import.meta.url);
    await project.write("guide.js", toJavaScript(await Deno.readTextFile(guide)));
    await project.writeScript("embedded.js", new URL("./embedded.ts", import.meta.url));
    const env = { ...stores, JWT_SECRET: "a secret of more than thirty-two bytes" };
    const said = JSON.parse(await run(node, ["embedded.js"], { cwd: project.folder, env }));
    assert.deepEqual([said.withoutToken, said.archive], [401, true]);
    assert.match(said.stream, /"data":\{"delta":"Hello"\}.*"seriesSnapshot":true/);
    assert.match(said.stream, /event: taskcast\.done\ndata: \{"reason":"completed"\}\nid: /);
  });

  Deno.test(`npm: npx taskcast serves what the configuration says on Node ${version}`, async () => {
    await project.write("taskcast.config.yaml", "logLevel: warn\nhost: ${HOST_OF_TEST}\n");
    await project.write("usual.ts", 'export enum Host { Usual = "127.0.0.1" }\n');
    await project.write(
      "own.config.ts",
      `import type { TaskcastConfig } from "@taskcast/core";
       import { Host } from "./usual.ts";
       export default { logLevel: "warn", host: Host.Usual } satisfies TaskcastConfig;`,
    );
    for (const file of ["taskcast.config.yaml", "own.config.ts"]) {
      const command: CommandWords = ["npx", "--no-install", "taskcast"];
      const env = { PATH, HOST_OF_TEST: "127.0.0.1" };
      await using server = await startCli(["-c", file], env, project.folder, command);
      assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
      assert.equal((await (await fetch(`${server.url}/health`)).json()).status, "ok");
      // npx itself does not pass SIGTERM on.
      Deno.kill(await youngest(server.process.pid), "SIGTERM");
      assert.equal(await server.process.ended, 0);
    }
  });

  Deno.test({
    name: `npm: adapters pass the conformance suite on Node ${version}: ${suites}`,
    ignore: !hasStores,
  }, async () => {
    await project.writeScript("conformance.js", new URL("./conformance.ts", import.meta.url));
    const env = { ...stores, SUITES: suites };
    const args = ["--test", "--test-reporter=tap", "conformance.js"];
    const tap = await run(node, args, { cwd: project.folder, env });
    assert(Number(/^# pass (\d+)$/m.exec(tap)?.[1]) > 50, tap);
  });
}
