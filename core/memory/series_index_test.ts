import assert from "node:assert/strict";
import type { StoredEvent } from "../contracts/records.ts";
import { SeriesIndex } from "./series_index.ts";

Deno.test("a text is the sum of its deltas, wherever they are in their events", () => {
  const series = new SeriesIndex();
  const deltas = [
    "short",
    "x".repeat(40),
    'with "quotes", \\ and\nlines, so that it is not in the data as it is',
    "in the middle of the data, behind something and before something",
    "aaaa".repeat(20) + "b" + "aaaa".repeat(20),
    "first of all the fields that there are in the data of this event",
  ];
  const datas = [
    { delta: deltas[0] },
    { delta: deltas[1] },
    { delta: deltas[2] },
    { before: 1, delta: deltas[3], after: 2 },
    // A text that a search would compare at every position.
    { pad: "a".repeat(200_000), delta: deltas[4], after: 1 },
    { delta: deltas[5], after: "x".repeat(40) },
  ];
  datas.forEach((data, index) => {
    const event = {
      index,
      type: "t",
      level: "info",
      data: JSON.stringify(data),
      seriesId: "s",
      seriesMode: "accumulate",
      accField: "delta",
    } as StoredEvent;
    series.add(event, { ...event, entropy: 0, delta: data.delta });
  });
  assert.equal(series.read({ after: -1, limit: 1 }, deltas.length).folds[0]!.text, deltas.join(""));
});
