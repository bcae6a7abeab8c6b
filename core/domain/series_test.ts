import assert from "node:assert/strict";
import type { SeriesFold, StoredEvent } from "../contracts/records.ts";
import { deltaOf, snapshotOf } from "./series.ts";

const newest: StoredEvent = {
  index: 9,
  timestamp: 1,
  entropy: 0,
  type: "llm.delta",
  level: "info",
  data: '{"delta":"lo","model":"m"}',
  seriesId: "answer",
  seriesMode: "accumulate",
  accField: "delta",
};

Deno.test("snapshotOf() puts the whole text into the newest event and keeps its other fields", () => {
  const snapshot = snapshotOf({
    seriesId: "answer",
    mode: "accumulate",
    accField: "delta",
    newest,
    text: 'Hel"lo',
    eventKinds: [],
  });
  assert.deepEqual(JSON.parse(snapshot.data), { delta: 'Hel"lo', model: "m" });
  assert.deepEqual({ ...snapshot, data: "", snapshot: undefined }, {
    ...newest,
    data: "",
    snapshot: undefined,
  });
  assert.equal(snapshot.snapshot, true);
  assert.equal(newest.snapshot, undefined, "what the log holds is not changed");
});

Deno.test("snapshotOf() does not make an object of data that is none", () => {
  // So version 0.1.0 folded "s" and "z" whose field was named "0".
  for (const data of ['"z"', '["z"]', "7", "null"]) {
    const fold = {
      seriesId: "answer",
      mode: "accumulate",
      accField: "0",
      newest: { ...newest, accField: "0", data },
      text: "sz",
      eventKinds: [],
    } as const satisfies Omit<SeriesFold, "eventKinds"> & { eventKinds: [] };
    const snapshot = snapshotOf(fold);
    assert.equal(snapshot.data, data);
    assert.equal(snapshot.snapshot, true);
  }
});

Deno.test("deltaOf() finds strings in objects only", () => {
  assert.equal(deltaOf('{"delta":"a"}', "delta"), "a");
  assert.equal(deltaOf('{"__proto__":"a"}', "__proto__"), "a");
  for (
    const [data, field] of [
      ['"az"', "0"],
      ['["az"]', "0"],
      ['"az"', "length"],
      ["null", "delta"],
      ['{"delta":null}', "delta"],
      ['{"delta":7}', "delta"],
      ["{}", "delta"],
      ["{}", "toString"],
      ["{}", "__proto__"],
    ] as const
  ) {
    assert.equal(deltaOf(data, field), undefined, `${data} ${field}`);
  }
});

Deno.test("snapshotOf() returns the newest event of a latest series, or of one whose newest event is no text", () => {
  for (const mode of ["latest", "accumulate"] as const) {
    const snapshot = snapshotOf({ seriesId: "s", mode, newest, eventKinds: [], accField: "delta" });
    assert.equal(snapshot.data, newest.data);
    assert.equal(snapshot.snapshot, true);
  }
});
