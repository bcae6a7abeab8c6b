import { TaskcastServerClient } from "@taskcast/server-sdk";
import assert from "node:assert/strict";
import { browserTest } from "../../testing/pages/browser.ts";
import type { CliProcess, CliServer } from "../../testing/servers/cli.ts";
import { cli, startCli } from "../../testing/servers/cli.ts";
import { until } from "../../testing/sse/sse.ts";
import { agrees, stepsOf } from "../../testing/texts/console_session.ts";
import { documents } from "../../testing/texts/markdown.ts";

// Runs the programs of the lessons in docs/tutorial, unchanged except for the server's port.

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const lessons = (await documents()).filter(({ file }) => file.startsWith("docs/tutorial/"));

/** A folder with everything that the reader has saved by the end, and a server. */
interface Lesson {
  folder: string;
  server: CliServer;
  taskcast: TaskcastServerClient;
  run(program: string, taskId: string): CliProcess;
  [Symbol.asyncDispose](): Promise<void>;
}

async function startLesson(): Promise<Lesson> {
  const server = await startCli(["--log-level", "error"]);
  const folder = await Deno.makeTempDir();
  for (const { saveAs, text } of lessons.flatMap(({ blocks }) => blocks)) {
    if (saveAs === undefined) continue;
    await Deno.writeTextFile(
      `${folder}/${saveAs}`,
      text.replaceAll("http://localhost:3721", server.url),
    );
  }
  return {
    folder,
    server,
    taskcast: new TaskcastServerClient({ baseUrl: server.url }),
    run: (program, taskId) =>
      cli([program, taskId], {}, folder, [
        Deno.execPath(),
        "run",
        "-A",
        "--quiet",
        "--no-lock",
        "--config",
        CONFIG,
      ]),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function ends(process: CliProcess): Promise<string> {
  assert.equal(await process.ended, 0, process.err);
  return process.out;
}

Deno.test("tutorial: the first stream has the output in the lesson", async () => {
  await using lesson = await startLesson();
  const { blocks } = lessons.find(({ file }) => file.endsWith("first-stream.md"))!;
  const steps = blocks.filter(({ language }) => language === "console")
    .flatMap(({ text }) => stepsOf(text));
  assert.equal(steps.length, 2);
  for (const { command, expected } of steps) {
    const [, program, taskId] = /^node (\S+) (\S+)$/.exec(command)!;
    const output = await ends(lesson.run(program!, taskId!));
    assert(agrees(expected, output), `$ ${command}\n${output}`);
  }
});

Deno.test("tutorial: a producer reports that its task was cancelled", async () => {
  await using lesson = await startLesson();
  const producer = lesson.run("produce.mjs", "third");
  await until(
    async () => (await lesson.taskcast.listTasks()).tasks.length === 1,
    "the producer has started",
  );
  await lesson.taskcast.transitionTask("third", "cancelled");
  assert.equal(await ends(producer), "third is cancelled\n");
});

Deno.test("tutorial: the agent asks, and continues when it is answered or stopped", async () => {
  await using lesson = await startLesson();
  const { taskcast } = lesson;
  const asks = (agent: CliProcess) =>
    until(() => agent.out.includes("waits for"), "the task is blocked");

  const approved = lesson.run("agent.mjs", "refund");
  await asks(approved);
  assert.deepEqual((await taskcast.getRequest("refund")).data, {
    tool: "refund",
    input: { order: 18 },
  });
  await taskcast.resolve("refund", { approved: true });
  assert.match(await ends(approved), /refund is completed\n$/);

  const stopped = lesson.run("agent.mjs", "refund-2");
  await asks(stopped);
  await taskcast.transitionTask("refund-2", "cancelled");
  assert.match(await ends(stopped), /refund-2 is cancelled\n$/);

  const calls = async (id: string) =>
    (await taskcast.getHistory(id, { filter: { types: ["tool.*"] } })).events.map(({ type }) =>
      type
    );
  assert.deepEqual(await calls("refund"), ["tool.call", "tool.result", "tool.call", "tool.result"]);
  assert.deepEqual(await calls("refund-2"), ["tool.call", "tool.result", "tool.call"]);
});

browserTest("tutorial: the page shows a task, and stops it", async (page) => {
  await using lesson = await startLesson();
  const { taskcast } = lesson;
  const source = `${lesson.folder}/main.jsx`;
  // The lesson's bundler adds this by itself.
  const pragma = "/** @jsxRuntime automatic */\n/** @jsxImportSource react */\n";
  await Deno.writeTextFile(source, pragma + await Deno.readTextFile(source));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-lock", "--config", CONFIG, "--platform", "browser", source],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const html = await Deno.readTextFile(`${lesson.folder}/index.html`);
  await using site = Deno.serve(
    { port: 0, hostname: "localhost", onListen: () => {} },
    ({ url }) =>
      new URL(url).pathname === "/main.jsx"
        ? new Response(stdout, { headers: { "content-type": "text/javascript" } })
        : new Response(html, { headers: { "content-type": "text/html" } }),
  );

  await taskcast.createTask({ id: "page" });
  const part = { type: "llm.delta", seriesId: "answer", seriesMode: "accumulate" } as const;
  await taskcast.publishEvent("page", { ...part, data: { delta: "Hello " } });
  await page.goto(`http://localhost:${site.addr.port}/#page`);
  await page.getByText("Hello").waitFor();
  await taskcast.publishEvent("page", { ...part, data: { delta: "world" } });
  await page.getByText("Hello world").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("cancelled").waitFor();
  assert.equal((await taskcast.getTask("page")).status, "cancelled");
});
