import assert from "node:assert/strict";
import type { StoredEvent } from "../contracts/records.ts";
import { snapshotOf } from "./series.ts";

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
    classes: [],
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

Deno.test("snapshotOf() a latest series, or one whose newest event is no text, is that event", () => {
  for (const mode of ["latest", "accumulate"] as const) {
    const snapshot = snapshotOf({ seriesId: "s", mode, newest, classes: [], accField: "delta" });
    assert.equal(snapshot.data, newest.data);
    assert.equal(snapshot.snapshot, true);
  }
});
