/** Returns an event without a series, about 240 bytes in a reader's frame. */
export function plainEvent(i: number): Record<string, unknown> {
  return { type: "bench.step", data: { i, text: "x".repeat(40) } };
}

/** Returns an event like a token of a language model. */
export function tokenEvent(i: number): Record<string, unknown> {
  return {
    type: "llm.delta",
    data: { delta: `token${i % 10} ` },
    seriesId: "answer",
    seriesMode: "accumulate",
  };
}

/** Returns an array of events. */
export function batchOf(
  length: number,
  makeEvent: (i: number) => Record<string, unknown> = plainEvent,
  from = 0,
): Record<string, unknown>[] {
  return Array.from({ length }, (_, i) => makeEvent(from + i));
}
