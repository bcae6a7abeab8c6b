import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { openBody } from "../network/open_body.ts";
import { type Frame, frames, until } from "../sse/sse.ts";

/**
 * Asserts that a host keeps a quiet stream and a quiet request of NDJSON open for `quietMs`, for
 * Taskcast at `base`, and that both continue afterwards.
 */
export async function assertStaysOpen(base: string, quietMs: number): Promise<void> {
  const { id } = await taskAt(base);
  const lines = openBody();
  const published = fetch(`${base}/tasks/${id}/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.body,
  });
  await lines.write('{"type":"line","data":1}\n');
  const seen: Frame[] = [];
  for await (const frame of frames(`${base}/tasks/${id}/events`)) {
    seen.push(frame);
    if (frame.data.data === 1) {
      await quiet(quietMs);
      await lines.write('{"type":"line","data":2}\n');
      await lines.close();
    } else if (frame.data.data === 2) {
      assert.deepEqual(await (await published).json(), { published: 2, lastIndex: 1 });
      await new TaskcastServerClient({ baseUrl: base }).transitionTask(id, "completed");
    }
  }
  assertWhole(seen, [1, 2]);
}

/**
 * Asserts, for a host that cuts off requests in any case, that streams stay open, and that a
 * producer continues with another request, so that everything is stored once.
 */
export async function assertGoesOn(base: string, quietMs: number): Promise<void> {
  const { id } = await taskAt(base);
  const client = new TaskcastServerClient({ baseUrl: base });
  const publisher = client.openPublisher(id);
  await publisher.publish({ type: "line", data: 1 });
  const seen: Frame[] = [];
  for await (const frame of frames(`${base}/tasks/${id}/events`)) {
    seen.push(frame);
    if (frame.data.data === 1) {
      await quiet(quietMs);
      await publisher.publish({ type: "line", data: 2 });
      await publisher.close();
      await client.transitionTask(id, "completed");
    }
  }
  assertWhole(seen, [1, 2]);
}

function taskAt(base: string): Promise<{ id: string }> {
  return new TaskcastServerClient({ baseUrl: base }).createTask({});
}

async function quiet(ms: number): Promise<void> {
  const startMs = performance.now();
  await until(() => performance.now() - startMs > ms, "it was quiet for long enough");
}

/** Asserts that a connection has each line once, and then the end. */
function assertWhole(seen: readonly Frame[], lines: readonly number[]): void {
  assert.deepEqual(
    seen.filter(({ data }) => data.type === "line").map(({ data }) => data.data),
    lines,
  );
  assert.equal(seen.filter(({ event }) => event === "taskcast.open").length, 1);
  assert.deepEqual(seen.at(-1)?.data, { reason: "completed" });
}
