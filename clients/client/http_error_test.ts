import assert from "node:assert/strict";
import { ERROR_CODES } from "@taskcast/core/protocol";
import { STATUS_OF } from "../../server/http_errors.ts";
import { isVerdict } from "./http_error.ts";

Deno.test("isVerdict(): accepts every error of the server except NOT_FOUND", () => {
  for (const code of ERROR_CODES) {
    assert.equal(isVerdict(STATUS_OF[code], code), code !== "NOT_FOUND", code);
  }
});

Deno.test("isVerdict(): with statuses that intermediaries use, accepts only the server's own codes", () => {
  for (const status of [401, 403, 404]) {
    for (const code of [...ERROR_CODES, "SOME_CODE", "ACCESS_DENIED", "DEPLOYMENT_NOT_FOUND"]) {
      const isOurs = code !== "NOT_FOUND" &&
        STATUS_OF[code as keyof typeof STATUS_OF] === status;
      assert.equal(isVerdict(status, code), isOurs, `${status} ${code}`);
    }
  }
});

Deno.test("isVerdict(): with any other status, accepts codes of later versions", () => {
  for (const status of [400, 409, 410, 413, 422, 503]) {
    assert.equal(isVerdict(status, "OF_A_LATER_VERSION"), true, `${status}`);
  }
  for (const code of ["404", "not_found", "Forbidden", "", "A B"]) {
    assert.equal(isVerdict(410, code), false, code);
  }
});
