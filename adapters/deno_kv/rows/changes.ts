import type { Keys } from "../keys.ts";
import type { KvAtomic, KvKey } from "../connection/kv.ts";
import { bytesOf, INLINE_CHARS, keyBytes, MAX_CHANGES, MAX_COMMIT_BYTES } from "../limits.ts";
import type { BlobRef, Garbage, GarbagePrefix, Text } from "./values.ts";

interface Change {
  key: KvKey;
  /** `undefined` removes the key. */
  value: unknown;
  expireIn?: number;
  bytes: number;
}

/** Returns a short unique name. */
export function newName(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 20);
}

/** Writes of one operation. A later write to a key replaces an earlier one. */
export class Changes {
  readonly #changes = new Map<string, Change>();
  #bytes = 0;
  readonly #blob = newName();
  /** Long texts that must be written before, in order. */
  readonly blobs: Map<string, string[]> = new Map();

  set(key: KvKey, value: unknown, expireIn?: number): void {
    this.#put({ key, value, expireIn, bytes: keyBytes(key) + bytesOf(value) });
  }

  delete(key: KvKey): void {
    this.#put({ key, value: undefined, bytes: keyBytes(key) });
  }

  /** Returns the text itself, or a reference if it is long. */
  text(text: string): Text {
    return text.length <= INLINE_CHARS ? text : this.aside(text);
  }

  /** Stores a text separately. */
  aside(text: string): BlobRef {
    const texts = this.blobs.get(this.#blob) ?? [];
    this.blobs.set(this.#blob, texts);
    texts.push(text);
    return { blob: this.#blob, no: texts.length - 1, chars: text.length };
  }

  /** Schedules keys of an incarnation for removal. */
  discard(keys: Keys, storageId: string, ...prefixes: GarbagePrefix[]): void {
    if (prefixes.length === 0) return;
    const garbage: Garbage = { life: storageId, prefixes };
    this.set(keys.garbage(0, newName()), garbage);
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** Returns true if one atomic operation can hold these changes, and optionally more. */
  fits(more?: Changes): boolean {
    const [count, bytes] = more === undefined ? [0, 0] : [more.#changes.size, more.#bytes];
    return this.#changes.size + count <= MAX_CHANGES && this.#bytes + bytes <= MAX_COMMIT_BYTES;
  }

  /** Adds other, later changes. */
  add(others: Changes): void {
    for (const change of others.#changes.values()) this.#put(change);
    for (const [blob, texts] of others.blobs) this.blobs.set(blob, texts);
  }

  /** Adds them to an atomic operation. */
  write(atomic: KvAtomic): KvAtomic {
    for (const { key, value, expireIn } of this.#changes.values()) {
      if (value === undefined) atomic.delete(key);
      else if (expireIn === undefined) atomic.set(key, value);
      else atomic.set(key, value, { expireIn });
    }
    return atomic;
  }

  #put(change: Change): void {
    const name = JSON.stringify(change.key);
    this.#bytes += change.bytes - (this.#changes.get(name)?.bytes ?? 0);
    this.#changes.set(name, change);
  }
}
