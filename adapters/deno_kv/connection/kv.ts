// The part of Deno KV that is used: what `Deno.openKv()` gives has this shape, and so has what
// `openKv()` of the npm package `@deno/kv` gives on Node.

/** A part of a key. Deno's types have symbols here, too, which no key has. */
export type KvKeyPart = Uint8Array | string | number | bigint | boolean | symbol;

/** Where a value is; keys are ordered part by part. */
export type KvKey = readonly KvKeyPart[];

/** Entry of a key; value and version are `null` if there is none. */
export interface KvEntry {
  /** Where. */
  key: KvKey;
  /** The value. */
  value: unknown;
  /** Changes with each change of the value. */
  versionstamp: string | null;
}

/** Which keys a list is of. */
export type KvSelector = { prefix: KvKey } | { start: KvKey; end: KvKey };

/** How a list is read. */
export interface KvListOptions {
  /** Entries at most. */
  limit?: number;
  /** Entries that are read in one step, of one moment. */
  batchSize?: number;
  /** From the last key backward. */
  reverse?: boolean;
}

/** Outcome of an atomic operation: `ok` is false if a check failed. */
export interface KvCommitOutcome {
  /** True if it was carried out. */
  ok: boolean;
  /** The version of everything that it wrote. */
  versionstamp?: string;
}

/** Checks and changes that happen together or not at all. */
export interface KvAtomic {
  /** Something must still be at a version; `null`: nothing must be there. */
  check(check: { key: KvKey; versionstamp: string | null }): KvAtomic;
  /** Writes a value. */
  set(key: KvKey, value: unknown, options?: { expireIn?: number }): KvAtomic;
  /** Removes a value. */
  delete(key: KvKey): KvAtomic;
  /** Does it. */
  commit(): Promise<KvCommitOutcome>;
}

/** A database: what `Deno.openKv()` gives. */
export interface Kv {
  /** Reads a key. */
  get(key: KvKey): Promise<KvEntry>;
  /** Reads up to ten keys, of one moment. */
  getMany(keys: readonly KvKey[]): Promise<readonly KvEntry[]>;
  /** Reads keys in their order. */
  list(selector: KvSelector, options?: KvListOptions): AsyncIterable<KvEntry>;
  /** Begins an atomic operation. */
  atomic(): KvAtomic;
  /** Tells what is at up to ten keys, now and after changes, some of which it may leave out. */
  watch(keys: readonly KvKey[]): ReadableStream<readonly KvEntry[]>;
  /** Releases it. */
  close(): void;
}
