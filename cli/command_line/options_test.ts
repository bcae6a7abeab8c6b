import assert from "node:assert/strict";
import { parseDuration } from "./options.ts";

Deno.test("parseDuration() takes a number with a unit, and nothing that could be meant otherwise", () => {
  assert.deepEqual(["90s", "15m", "1h", "7d"].map(parseDuration), [90, 900, 3_600, 604_800]);
  for (const text of ["", "1", "0s", "-1h", "1.5h", "1 h", "1w", "1h30m", "999999d"]) {
    assert.throws(() => parseDuration(text), /must be a duration/, text);
  }
});
