import assert from "node:assert/strict";
import { describeAddress } from "./address.ts";

Deno.test("describeAddress() leaves out the function that refuses an address", () => {
  const error = new TypeError("createRedisAdapters(): the address must begin with redis://");
  assert.equal(
    describeAddress("redis", "http://127.0.0.1", error).message,
    "Cannot use redis: the address must begin with redis://",
  );
});

Deno.test("describeAddress() hides a password, but not words that contain it", () => {
  function described(password: string, message: string): string {
    const url = `postgres://app:${encodeURIComponent(password)}@127.0.0.1/db`;
    return describeAddress("postgres", url, new Error(message)).message;
  }
  assert.equal(
    described(
      "taskcast",
      "GRANT SELECT ON taskcast_tasks; it was taskcast, said app:taskcast@host",
    ),
    "Cannot use postgres at 127.0.0.1: GRANT SELECT ON taskcast_tasks; it was …, said app:…@host",
  );
  assert.equal(
    described("p", "permission denied for p"),
    "Cannot use postgres at 127.0.0.1: permission denied for …",
  );
  assert.equal(
    described("a/b", "xa/bx and a%2Fb"),
    "Cannot use postgres at 127.0.0.1: x…x and …",
  );
  assert.equal(
    described("0123456789abcdef", "x0123456789abcdefx"),
    "Cannot use postgres at 127.0.0.1: x…x",
  );
});
