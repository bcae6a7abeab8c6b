/**
 * Checks an address without connecting, and without loading the driver.
 *
 * @module
 */
import { parsePostgresAddress } from "./connection/address.ts";

/**
 * Requires an address that `createPostgresAdapter()` takes.
 *
 * @throws {TypeError} If it is none. The message has nothing of it but names of parameters.
 *
 * @example
 * ```ts
 * import { assertPostgresAddress } from "@taskcast/postgres/address";
 * import assert from "node:assert/strict";
 *
 * assertPostgresAddress("postgres://app:secret@db.example.com/app?sslmode=require");
 * assert.throws(() => assertPostgresAddress("postgres://localhost?sslmod=require"), /"sslmod"/);
 * ```
 */
export function assertPostgresAddress(url: string): void {
  parsePostgresAddress(url);
}
