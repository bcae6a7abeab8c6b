/**
 * Checks an address without connecting and without loading the driver.
 *
 * @module
 */
import { parsePostgresAddress } from "./connection/address.ts";

/**
 * Requires an address that `createPostgresAdapter()` accepts.
 *
 * @throws {TypeError} If the address is invalid. The message contains no part of it but parameter
 *   names.
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
