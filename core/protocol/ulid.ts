// Crockford's base 32, as in the ULID specification (https://github.com/ulid/spec): 10 characters
// of time, then 16 characters of anything. Ours are 40 bits of index and 40 bits of randomness for
// an event, 80 bits of randomness for a task.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The largest 40-bit number. */
export const MAX_40_BITS: number = 2 ** 40 - 1;

const CODES = /* @__PURE__ */ Uint8Array.from(ALPHABET, (digit) => digit.charCodeAt(0));

/** Encodes 40 bits as eight digits in one call; appending digit by digit takes seven times as long. */
function encode(value: number): string {
  const high = Math.floor(value / 2 ** 20);
  const low = value % 2 ** 20;
  return String.fromCharCode(
    CODES[high >>> 15]!,
    CODES[high >>> 10 & 31]!,
    CODES[high >>> 5 & 31]!,
    CODES[high & 31]!,
    CODES[low >>> 15]!,
    CODES[low >>> 10 & 31]!,
    CODES[low >>> 5 & 31]!,
    CODES[low & 31]!,
  );
}

/** Encodes a time as ten digits. */
function encodeTime(timestampMs: number): string {
  const high = Math.floor(timestampMs / 2 ** 40);
  return String.fromCharCode(CODES[high >>> 5]!, CODES[high & 31]!) + encode(timestampMs % 2 ** 40);
}

function decode(text: string): number {
  let value = 0;
  for (const char of text) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return NaN;
    value = value * 32 + digit;
  }
  return value;
}

/**
 * Returns the id of the event at `index`, a ULID that sorts as the log does.
 *
 * @param timestampMs Unix time in milliseconds.
 * @param index The event's position in its task's log.
 * @param entropy 40 random bits.
 * @example
 * ```ts
 * import { eventId, parseEventId } from "@taskcast/core/protocol";
 * import assert from "node:assert/strict";
 *
 * const id = eventId(1_700_000_000_000, 41, 7);
 * assert.equal(id.length, 26);
 * assert.deepEqual(parseEventId(id), { timestampMs: 1_700_000_000_000, index: 41, entropy: 7 });
 * ```
 */
export function eventId(timestampMs: number, index: number, entropy: number): string {
  return encodeTime(timestampMs) + encode(index) + encode(entropy);
}

/** Parses an event's id; returns `undefined` if `id` is not one. */
export function parseEventId(
  id: string,
): { timestampMs: number; index: number; entropy: number } | undefined {
  if (id.length !== 26) return undefined;
  const timestampMs = decode(id.slice(0, 10));
  const index = decode(id.slice(10, 18));
  const entropy = decode(id.slice(18));
  if (Number.isNaN(timestampMs + index + entropy) || timestampMs >= 2 ** 48) return undefined;
  return { timestampMs, index, entropy };
}

// A call for random bytes costs the same for a few bytes as for a few kilobytes.
const pool = /* @__PURE__ */ new Uint32Array(1024);
let left = 0;

/** Returns 40 random bits. */
export function random40(): number {
  if (left === 0) {
    crypto.getRandomValues(pool);
    left = pool.length;
  }
  left -= 2;
  return (pool[left]! % 256) * 2 ** 32 + pool[left + 1]!;
}

/** Returns a new ULID, e.g. for a task. */
export function ulid(timestampMs: number): string {
  return eventId(timestampMs, random40(), random40());
}
