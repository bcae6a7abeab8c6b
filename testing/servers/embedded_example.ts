import assert from "node:assert/strict";
import type { CliProcess } from "./cli.ts";
import { openBody } from "../network/open_body.ts";
import { allFrames, type Frame, frames } from "../sse/sse.ts";

/**
 * Asserts that an app embeds Taskcast at `/taskcast`: its `POST /start` creates a task that can be
 * followed there, and both directions stream.
 */
export async function assertEmbeds(url: string): Promise<void> {
  const started = await fetch(`${url}/start`, { method: "POST" });
  assert.equal(started.status, 202);
  const { taskId } = await started.json();
  const seen = await allFrames(`${url}/taskcast/tasks/${taskId}/events`);
  assert.equal(textOf(seen), "one two three");
  assert.deepEqual(seen.at(-1)!.data, { reason: "completed" });
  await assertStreams(`${url}/taskcast`);
}

/** Asserts that a server which is asked to stop ends its streams and exits. */
export async function assertDrains(url: string, server: CliProcess): Promise<void> {
  const { id } = await (await json("POST", `${url}/taskcast/tasks`, {})).json();
  const seen = [];
  for await (const { event } of frames(`${url}/taskcast/tasks/${id}/events`)) {
    seen.push(event);
    server.kill("SIGTERM");
  }
  assert.deepEqual(seen, ["taskcast.open"]);
  await server.ended;
}

/** Asserts that readers see lines while the request that publishes them is open. */
async function assertStreams(base: string): Promise<void> {
  const { id } = await (await json("POST", `${base}/tasks`, {})).json();
  const lines = openBody();
  let published: Promise<Response> | undefined;
  const seen: Frame[] = [];
  for await (const frame of frames(`${base}/tasks/${id}/events`)) {
    seen.push(frame);
    if (frame.event === "taskcast.open") {
      published = fetch(`${base}/tasks/${id}/events`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: lines.body,
      });
      await lines.write('{"type":"line","data":1}\n');
    } else if (frame.data.type === "line") {
      await lines.close();
      assert.deepEqual(await (await published!).json(), { published: 1, lastIndex: 0 });
      const ended = await json("PATCH", `${base}/tasks/${id}/status`, { status: "completed" });
      await ended.body?.cancel();
    }
  }
  assert.deepEqual(seen.map(({ data }) => data.type ?? data.reason ?? data.status), [
    "pending",
    "line",
    "taskcast:status",
    "completed",
  ]);
}

async function json(method: string, url: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${url}: ${response.status}`);
  return response;
}

/** Returns the text of a series as a reader assembles it. */
function textOf(seen: readonly Frame[]): string {
  return seen.filter(({ data }) => data.seriesId === "text")
    .reduce((text, { data }) => data.seriesSnapshot ? data.data.delta : text + data.data.delta, "");
}
