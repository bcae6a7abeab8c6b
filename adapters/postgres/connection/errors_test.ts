import assert from "node:assert/strict";
import { healthOf, toTaskcastError, verdictOf } from "./errors.ts";

/** Returns an error of PostgreSQL as the driver throws it. */
function postgresError(code: string): Error {
  return Object.assign(new Error("in the words of the server"), { name: "PostgresError", code });
}

Deno.test("check() reports errors that an operator can mend, and no others", () => {
  const told: Record<string, RegExp> = {
    "25006": /only reads/,
    "42501": /lacks rights/,
    "53100": /disk is full/,
    "53300": /no connections left/,
  };
  for (const [code, words] of Object.entries(told)) {
    const error = toTaskcastError(postgresError(code));
    const report = healthOf(error);
    assert.equal(report?.status, "unavailable");
    assert.match(report.message, words);
    assert.equal(error.code, code === "53100" ? "STORE_FULL" : "STORE_UNAVAILABLE");
  }
  for (
    const error of [
      toTaskcastError(postgresError("XX000")),
      toTaskcastError(new Error("read ECONNRESET")),
    ]
  ) {
    assert.equal(healthOf(error), undefined);
  }
});

Deno.test("only what was surely not done is done again in another session", () => {
  const verdicts = ["25006", "57P01", "57P02", "57P03", "26000", "42P05", "40001", "23505"]
    .map((code) => verdictOf(postgresError(code)));
  const leave = ["leave", "leave", "leave"];
  const again = ["stop preparing", "stop preparing"];
  assert.deepEqual(verdicts, ["replace", ...leave, ...again, "keep", "keep"]);
  assert.equal(verdictOf(new Error("write CONNECTION_CLOSED")), "keep");
});
