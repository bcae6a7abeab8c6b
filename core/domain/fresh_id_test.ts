import assert from "node:assert/strict";
import { ulid } from "../protocol/ulid.ts";
import { isFreshUlid } from "./fresh_id.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

Deno.test("isFreshUlid() takes ULIDs of the last hour, and of a clock that is a little ahead", () => {
  for (const age of [0, 1, HOUR_MS - 1, -60_000]) {
    assert(isFreshUlid(ulid(NOW - age), NOW), `${age}`);
  }
  for (const age of [HOUR_MS, 2 * HOUR_MS, NOW, -60_001, -24 * HOUR_MS]) {
    assert(!isFreshUlid(ulid(NOW - age), NOW), `${age}`);
  }
  assert(!isFreshUlid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", NOW));
  for (const id of ["t", "", ulid(NOW).toLowerCase(), `${ulid(NOW)}0`, ulid(NOW).slice(1)]) {
    assert(!isFreshUlid(id, NOW), id);
  }
});
