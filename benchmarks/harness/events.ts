/** An event that stands alone; as it travels to a reader it has about 240 bytes. */
export function plainEvent(i: number): Record<string, unknown> {
  return { type: "bench.step", data: { i, text: "x".repeat(40) } };
}

/** A token of a language model. */
export function tokenEvent(i: number): Record<string, unknown> {
  return {
    type: "llm.delta",
    data: { delta: `token${i % 10} ` },
    seriesId: "answer",
    seriesMode: "accumulate",
  };
}

/** So many of them. */
export function batchOf(
  length: number,
  makeEvent: (i: number) => Record<string, unknown> = plainEvent,
  from = 0,
): Record<string, unknown>[] {
  return Array.from({ length }, (_, i) => makeEvent(from + i));
}
