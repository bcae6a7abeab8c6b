// The part of Deno KV that Taskcast uses. The results of `Deno.openKv()` and of `openKv()` of the
// npm package `@deno/kv` have this shape.

/** A part of a key. Deno's types also allow symbols, which no key has. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean | symbol;

/** A key; keys are ordered part by part. */
export type KvKey = readonly KvKeyPart[];

/** Entry of a key; value and version are `null` if there is none. */
export interface KvEntry {
  /** The key. */
  key: KvKey;
  /** The value. */
  value: unknown;
  /** Changes with each change of the value. */
  versionstamp: string | null;
}

/** The keys of a list. */
export type KvSelector = { prefix: KvKey } | { start: KvKey; end: KvKey };

/** Options of a list. */
export interface KvListOptions {
  /** Maximum number of entries. */
  limit?: number;
  /** Entries read in one step, of one moment. */
  batchSize?: number;
  /** Reads from the last key backward. */
  reverse?: boolean;
}

/** Outcome of an atomic operation: `ok` is false if a check failed. */
export interface KvCommitOutcome {
  /** True if it was carried out. */
  ok: boolean;
  /** The version of all its writes. */
  versionstamp?: string;
}

/** An atomic operation: checks and changes that happen together or not at all. */
export interface KvAtomic {
  /** Requires that a key is still at a version; `null`: that it is absent. */
  check(check: { key: KvKey; versionstamp: string | null }): KvAtomic;
  /** Writes a value. */
  set(key: KvKey, value: unknown, options?: { expireIn?: number }): KvAtomic;
  /** Removes a value. */
  delete(key: KvKey): KvAtomic;
  /** Applies the operation. */
  commit(): Promise<KvCommitOutcome>;
}

/** A database, as opened by `Deno.openKv()`. */
export interface Kv {
  /** Reads a key. */
  get(key: KvKey): Promise<KvEntry>;
  /** Reads up to ten keys, of one moment. */
  getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]>;
  /** Reads keys in order. */
  list(selector: KvSelector, options?: KvListOptions): AsyncIterable<KvEntry>;
  /** Starts an atomic operation. */
  atomic(): KvAtomic;
  /** Streams the entries of up to ten keys, now and after changes, some of which it may skip. */
  watch(keys: readonly KvKey[]): ReadableStream<readonly KvEntry[]>;
  /** Closes the database. */
  close(): void;
}
