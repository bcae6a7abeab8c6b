// Limits of Deno KV, and how far Taskcast goes. Values are serialized as by V8: one byte per
// character of a Latin-1 text, otherwise two.

/** Changes of one atomic operation; Deno KV allows 1000. */
export const MAX_CHANGES = 900;

/** Bytes of one atomic operation; Deno KV allows 800 KiB. */
export const MAX_COMMIT_BYTES: number = 700 * 1024;

/** Keys in one `getMany`, and in one `watch`. */
export const MAX_KEYS = 10;

/** Entries read in one step. */
export const MAX_BATCH = 500;

/**
 * Maximum characters of a text stored in a value with others; longer texts are stored in chunks.
 */
export const INLINE_CHARS: number = 12 * 1024;

/** Characters of one chunk of a long text: at two bytes each, below the 64 KiB limit of a value. */
export const CHUNK_CHARS: number = 30 * 1024;

/** Maximum characters of a series' text that each of its events rewrites. */
export const TAIL_CHARS: number = 2 * 1024;

/** Milliseconds that the last wake-up of a task stays in the database. */
export const WAKE_MS = 3_600_000;

/** Returns an upper bound of a value's bytes. */
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

/** Returns an upper bound of a key's bytes. */
export function keyBytes(key: readonly unknown[]): number {
  return key.reduce<number>(
    (sum, part) => sum + (typeof part === "string" ? 3 * part.length + 2 : 10),
    0,
  );
}
