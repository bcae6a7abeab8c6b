import type { Changes } from "./changes.ts";
import { newName } from "./changes.ts";
import type { Database } from "../connection/database.ts";
import { getAll } from "../connection/database.ts";
import { ChangedMeanwhile } from "../errors.ts";
import type { KvAtomic, KvKey } from "../connection/kv.ts";
import { CHUNK_CHARS, MAX_COMMIT_BYTES } from "../limits.ts";
import type { BlobRef, Garbage, Text } from "./values.ts";

// A long text is written in chunks before the commit that needs it, under names that nothing refers
// to yet. A note written with them declares them garbage from a later time on; the commit removes the
// note in the operation that makes them visible. So a crash leaves only data that is removed later,
// and a commit that is later than that finds its note taken and is refused.

/** Milliseconds that a commit may take from its first chunk on. */
const STAGE_MS = 600_000;

/** Chunks in one atomic operation. */
const CHUNKS_AT_ONCE = Math.floor(MAX_COMMIT_BYTES / (2 * CHUNK_CHARS + 256));

/** Written texts that nothing refers to yet. */
export interface Staged {
  /** The key of the note that they are garbage. */
  key: KvKey;
  versionstamp: string;
}

/** Writes the separately stored texts of a commit. */
export async function stage(
  { kv, keys }: Database,
  storageId: string,
  { blobs }: Changes,
): Promise<Staged | undefined> {
  if (blobs.size === 0) return undefined;
  const garbage: Garbage = {
    life: storageId,
    prefixes: [...blobs.keys()].map((blob) => ["blob", blob]),
  };
  const key = keys.garbage(Date.now() + STAGE_MS, newName());
  const { versionstamp } = await kv.atomic().set(key, garbage).commit();
  let atomic = kv.atomic();
  let count = 0;
  for (const [blob, texts] of blobs) {
    for (const [no, text] of texts.entries()) {
      for (let at = 0; at * CHUNK_CHARS < text.length; at++) {
        const chunk = text.slice(at * CHUNK_CHARS, (at + 1) * CHUNK_CHARS);
        atomic.set(keys.chunk(storageId, { blob, no }, at), chunk);
        if (++count < CHUNKS_AT_ONCE) continue;
        await atomic.commit();
        atomic = kv.atomic();
        count = 0;
      }
    }
  }
  if (count > 0) await atomic.commit();
  return { key, versionstamp: versionstamp! };
}

/** Makes a commit refer to staged texts, if they still exist. */
export function claimStaged(atomic: KvAtomic, staged: Staged | undefined): KvAtomic {
  return staged === undefined ? atomic : atomic.check(staged).delete(staged.key);
}

/** Returns a text, wherever it is stored. */
export async function readText(
  { kv, keys }: Database,
  storageId: string,
  text: Text,
): Promise<string> {
  if (typeof text === "string") return text;
  const count = Math.ceil(text.chars / CHUNK_CHARS);
  const wanted = Array.from({ length: count }, (_, at) => keys.chunk(storageId, text, at));
  let whole = "";
  for (const { value } of await getAll(kv, wanted)) {
    if (typeof value !== "string") throw new ChangedMeanwhile();
    whole += value;
  }
  return whole;
}

/** Returns the key prefix of a text that is stored separately, or nothing. */
export function prefixOf(text: Text | undefined): readonly (string | number)[][] {
  return isAside(text) ? [["blob", text.blob, text.no]] : [];
}

function isAside(text: Text | undefined): text is BlobRef {
  return typeof text === "object";
}
