import type { Database } from "./connection/database.ts";
import { listAll } from "./connection/database.ts";
import type { KvEntry } from "./connection/kv.ts";
import { MAX_BATCH } from "./limits.ts";
import type { Garbage } from "./rows/values.ts";

/** Notes of leftovers that are processed at a time. */
const NOTES_AT_ONCE = 20;

/**
 * Removes expired garbage.
 *
 * @param isStopping Returns whether to stop; called between two steps.
 */
export async function collectGarbage(
  database: Database,
  nowMs: number,
  isStopping: () => boolean = () => false,
): Promise<void> {
  const { kv, keys } = database;
  const prefix = keys.all("garbage");
  for (let isMore = true; isMore && !isStopping();) {
    const due = { start: prefix, end: [...prefix, nowMs] };
    const notes = await listAll(kv, due, { limit: NOTES_AT_ONCE });
    for (const note of notes) await removeGarbage(database, note, isStopping);
    isMore = notes.length === NOTES_AT_ONCE;
  }
}

async function removeGarbage(
  { kv, keys }: Database,
  note: KvEntry,
  isStopping: () => boolean,
): Promise<void> {
  const garbage = note.value as Garbage;
  if (!garbage.taken) {
    // From here on, the commit that staged it can no longer refer to it.
    const taken: Garbage = { ...garbage, taken: true };
    const { ok } = await kv.atomic().check(note).set(note.key, taken).commit();
    if (!ok) return;
  }
  for (const parts of garbage.prefixes) {
    for (let isMore = true; isMore;) {
      if (isStopping()) return; // The note stays, so another run continues.
      const atomic = kv.atomic();
      let count = 0;
      const options = { limit: MAX_BATCH, batchSize: MAX_BATCH };
      for await (const { key } of kv.list({ prefix: keys.of(garbage.life, ...parts) }, options)) {
        atomic.delete(key);
        count++;
      }
      if (count > 0) await atomic.commit();
      isMore = count === MAX_BATCH;
    }
  }
  await kv.atomic().delete(note.key).commit();
}
