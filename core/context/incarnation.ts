import { random40 } from "../protocol/ulid.ts";

/** Returns a new incarnation: eight random characters of `0-9a-v`, 40 bits. */
export function newIncarnation(): string {
  return random40().toString(32).padStart(8, "0");
}

/** Returns the random part of a lease's token: 16 characters of `0-9a-v`, 80 bits. */
export function newLeaseSecret(): string {
  return newIncarnation() + newIncarnation();
}
