import assert from "node:assert/strict";
import { documents } from "../../testing/texts/markdown.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// Runs the embedded app of the deployment guides unchanged, in a process of its own.

const redis = await redisUrl();
const all = await documents();
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Timeout of the process. If it is still running, it has left something open. */
const DEADLINE_MS = 10_000;

const PROGRAM = `
import { createApp } from "./app.ts";
import { listenOnNode } from "./listen.ts";

const secret = "a secret of more than thirty-two bytes";
const { app, close, engine } = await createApp({ redisUrl: Deno.args[0], secret });
const { id } = await engine.createTask();
await engine.deleteTask(id); // By now everything is connected.
listenOnNode(app, close, 0);
console.log("ready");
`;

for (const file of ["docs/guides/deployment.md", "docs/guides/deployment.zh.md"]) {
  Deno.test({
    name: `${file}: the embedded app on Redis ends by itself after SIGINT`,
    ignore: redis === undefined,
    async fn() {
      const { blocks } = all.find((document) => document.file === file)!;
      const blockWith = (text: string) => blocks.find((block) => block.text.includes(text))!.text;
      await using folder = await tempFolder({
        "app.ts": blockWith("function createApp"),
        "listen.ts": blockWith("function listenOnNode"),
        "main.ts": PROGRAM,
      });
      const process = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", CONFIG, `${folder.path}/main.ts`, redis!],
        stdout: "piped",
      }).spawn();
      const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
      assert.match((await reader.read()).value!, /ready/);
      process.kill("SIGINT");
      await reader.cancel();
      const deadline = setTimeout(() => process.kill("SIGKILL"), DEADLINE_MS);
      const { signal, code } = await process.status;
      clearTimeout(deadline);
      assert.deepEqual({ signal, code }, { signal: null, code: 0 });
    },
  });
}
