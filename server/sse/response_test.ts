import assert from "node:assert/strict";
import { eventStreamResponse } from "./response.ts";

Deno.test("a chunk that comes when the reader is gone is dropped, without an error, and the end is told", async () => {
  const chunk = Promise.withResolvers<Uint8Array>();
  const asked = Promise.withResolvers<void>();
  async function* chunks() {
    asked.resolve();
    yield await chunk.promise;
  }
  const errors: unknown[] = [];
  let ended = 0;
  const response = eventStreamResponse({ ended: false, chunks: chunks(), close: () => {} }, {
    request: new Request("http://host/"),
    onSent: () => {},
    onEnd: () => void ended++,
    onError: (error) => void errors.push(error),
  });
  const reader = response.body!.getReader();
  const reading = reader.read();
  await asked.promise;
  const cancelling = reader.cancel();
  chunk.resolve(new Uint8Array(1));
  await Promise.all([cancelling, reading]);
  assert.deepEqual([errors, ended], [[], 1]);
});
