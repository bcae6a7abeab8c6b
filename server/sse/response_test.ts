import type { ReadRequest } from "@taskcast/core/internal";
import assert from "node:assert/strict";
import { eventStreamOf, eventStreamResponse } from "./response.ts";

/** A stream whose chunks the test supplies. */
function streamByHand() {
  const state = {
    asked: Promise.withResolvers<ReadRequest<Uint8Array>>(),
    asks: 0,
    cancelled: 0,
  };
  const chunks = {
    read(request: ReadRequest<Uint8Array>) {
      state.asks++;
      state.asked.resolve(request);
    },
    cancel: () => Promise.resolve(void state.cancelled++),
  };
  const errors: unknown[] = [];
  const ends: string[] = [];
  let sent = 0;
  const response = eventStreamResponse({ ended: false, chunks, close: () => {} }, {
    request: new Request("http://host/"),
    onSent: (bytes) => sent += bytes,
    onEnd: () => void ends.push("end"),
    onError: (error) => void errors.push(error),
  });
  return { state, response, errors, ends, sent: () => sent };
}

Deno.test("a chunk that arrives after the reader has left is dropped without an error, and the end is reported", async () => {
  const { state, response, errors, ends, sent } = streamByHand();
  const reader = response.body!.getReader();
  const reading = reader.read();
  const request = await state.asked.promise;
  const cancelling = reader.cancel();
  request.onChunk(new Uint8Array(1));
  await Promise.all([cancelling, reading]);
  assert.deepEqual([errors, ends, state.cancelled, sent()], [[], ["end"], 1, 0]);
});

Deno.test("chunks that are requested concurrently arrive in order", async () => {
  const { state, response, sent } = streamByHand();
  const reader = response.body!.getReader();
  const reads = [reader.read(), reader.read(), reader.read()];
  for (let i = 1; i <= 3; i++) {
    const request = await state.asked.promise;
    assert.equal(state.asks, i);
    state.asked = Promise.withResolvers();
    request.onChunk(new Uint8Array([i]));
    await reads[i - 1];
  }
  assert.deepEqual((await Promise.all(reads)).map(({ value }) => value?.[0]), [1, 2, 3]);
  assert.equal(sent(), 3);
  await reader.cancel();
});

Deno.test("the stream of a response is found by its body, until that is read or replaced", async () => {
  const { response } = streamByHand();
  assert(eventStreamOf(response) !== undefined);
  const changed = new Response(response.body, response);
  assert.equal(eventStreamOf(changed), eventStreamOf(response));
  const [copy, other] = changed.body!.tee();
  assert.equal(eventStreamOf(new Response(copy, response)), undefined);
  assert.equal(eventStreamOf(response), undefined);
  assert.equal(eventStreamOf(new Response(null, response)), undefined);
  await Promise.all([copy!.cancel(), other!.cancel()]);
});
