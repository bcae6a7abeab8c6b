// What Deno KV allows, and how far this goes. Values are serialised as V8 does it: one byte for each
// character of a text of Latin letters, else two.

/** Changes in one atomic operation; Deno KV takes 1000. */
export const MAX_CHANGES = 900;

/** Bytes in one atomic operation; Deno KV takes 800 KiB. */
export const MAX_COMMIT_BYTES: number = 700 * 1024;

/** Keys in one `getMany`, and in one `watch`. */
export const MAX_KEYS = 10;

/** Entries that are read in one step. */
export const MAX_BATCH = 500;

/** Characters of a text that stands in a value with others; longer ones are kept in chunks. */
export const INLINE_CHARS: number = 12 * 1024;

/** Characters in one chunk of a long text: two bytes each stay below the 64 KiB of a value. */
export const CHUNK_CHARS: number = 30 * 1024;

/** Characters of a series' text that are written again with each of its events, at most. */
export const TAIL_CHARS: number = 2 * 1024;

/** Milliseconds for which the last wake-up of a task stays in the database. */
export const WAKE_MS = 3_600_000;

/** Bytes that a value takes, at most. */
export function bytesOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return 2 * value.length + 8;
    case "object": {
      let bytes = 8;
      for (const name in value) {
        bytes += name.length + 4 + bytesOf((value as Record<string, unknown>)[name]);
      }
      return bytes;
    }
    default:
      return 12;
  }
}

/** Bytes that a key takes, at most. */
export function keyBytes(key: readonly unknown[]): number {
  return key.reduce<number>(
    (sum, part) => sum + (typeof part === "string" ? 3 * part.length + 2 : 10),
    0,
  );
}
