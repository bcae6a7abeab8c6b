/**
 * Checks an address without connecting and without loading the client.
 *
 * @module
 */
import { parseAddress } from "./connection/address.ts";

/**
 * Requires an address that `createRedisAdapters()` accepts.
 *
 * @throws {TypeError} If the address is invalid. The message contains no part of it but parameter
 *   names.
 *
 * @example
 * ```ts
 * import { assertRedisAddress } from "@taskcast/redis/address";
 * import assert from "node:assert/strict";
 *
 * assertRedisAddress("rediss://:secret@cache.example.com:6380/1?family=6");
 * assert.throws(() => assertRedisAddress("redis://localhost?famly=6"), /"famly"/);
 * ```
 */
export function assertRedisAddress(url: string): void {
  parseAddress(url);
}
