import assert from "node:assert/strict";
import { app } from "../../examples/deno_fresh/taskcast.ts";
import { handler as start } from "../../examples/deno_fresh/routes/start.ts";
import { handler as taskcast } from "../../examples/deno_fresh/routes/taskcast/[...path].ts";
import { browserTest } from "../../testing/pages/browser.ts";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { assertEmbeds } from "../../testing/servers/embedded_example.ts";
import { withExampleServer } from "../../testing/servers/example_server.ts";
import { testFetchWorkers } from "../../testing/servers/fetch_workers.ts";

// Examples of Taskcast inside other servers and of programs without our SDKs, as far as Deno runs
// them. tests/npm runs those for Node in a project with the installed packages.

const ROOT = new URL("../../", import.meta.url);
const DENO: CommandWords = [Deno.execPath(), "run", "-A", "examples/deno_fresh/main.ts"];

Deno.test("examples/deno_fresh: Deno serves the routes", async () => {
  await withExampleServer({ command: DENO, folder: ROOT }, assertEmbeds);
});

Deno.test("examples/deno_fresh: Fresh gets handlers of its context and by method", async () => {
  const { taskId } = await (await start.POST()).json();
  const url = `http://fresh/taskcast/tasks/${taskId}/events`;
  const answered = await taskcast({ req: new Request(url) });
  assert.match(await answered.text(), /"reason":"completed"/);
  assert.equal((await app.request("/elsewhere")).status, 404);
});

await browserTest("examples/deno_fresh: the page shows the text", async (page) => {
  await withExampleServer({ command: DENO, folder: ROOT }, async (url) => {
    await page.goto(url);
    await page.click("text=Start");
    await page.locator("p", { hasText: /^one two three$/ }).waitFor();
  });
});

Deno.test("examples/nextjs: a module that is loaded again finds the engine of the process", async () => {
  const file = new URL("../../examples/nextjs/engine.ts", import.meta.url).href;
  const [first, again] = [await import(`${file}?1`), await import(`${file}?2`)];
  assert.notEqual(first, again);
  assert.equal(first.engine, again.engine);
});

testFetchWorkers("Deno", [Deno.execPath(), "run", "-A"]);
