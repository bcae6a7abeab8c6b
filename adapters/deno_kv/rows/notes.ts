import type { NoteChange } from "@taskcast/core/adapter";
import { claimStaged, prefixOf, readText, stage } from "./blobs.ts";
import { Changes } from "./changes.ts";
import type { Database } from "../connection/database.ts";
import { ChangedMeanwhile } from "../errors.ts";
import type { Head, Text } from "./values.ts";

async function headOf({ kv, keys }: Database, taskId: string): Promise<Head | undefined> {
  return (await kv.get(keys.head(taskId))).value as Head | undefined ?? undefined;
}

/** Returns the notes of an incarnation. */
export async function readNotes(
  database: Database,
  taskId: string,
  incarnation: string,
): Promise<Record<string, string> | undefined> {
  const { kv, keys } = database;
  const head = await headOf(database, taskId);
  if (head?.incarnation !== incarnation) return undefined;
  const { life: storageId } = head;
  const notes: [string, Promise<string>][] = [];
  for await (const { key, value } of kv.list({ prefix: keys.of(storageId, "note") })) {
    notes.push([key.at(-1) as string, readText(database, storageId, value as Text)]);
  }
  const read = await Promise.all(notes.map(async ([name, text]) => [name, await text] as const));
  if ((await kv.get(keys.alive(storageId))).value === null) throw new ChangedMeanwhile();
  return Object.fromEntries(read);
}

/** Changes a note. Leaves the head alone, since a note is no change of the task. */
export async function writeNote(
  database: Database,
  { taskId, incarnation, name }: { taskId: string; incarnation: string; name: string },
  { from, to }: NoteChange,
): Promise<boolean> {
  const { kv, keys } = database;
  const head = await headOf(database, taskId);
  if (head?.incarnation !== incarnation) return false;
  const { life: storageId } = head;
  const [alive, note] = await kv.getMany([keys.alive(storageId), keys.note(storageId, name)]);
  if (alive!.value === null) throw new ChangedMeanwhile();
  const text = note!.value as Text | null;
  const current = text === null ? undefined : await readText(database, storageId, text);
  if (current !== from) return false;
  const changes = new Changes();
  if (to === undefined) changes.delete(note!.key);
  else changes.set(note!.key, changes.text(to));
  changes.discard(keys, storageId, ...prefixOf(text ?? undefined));
  const staged = await stage(database, storageId, changes);
  const atomic = changes.write(kv.atomic().check(alive!).check(note!));
  if (!(await claimStaged(atomic, staged).commit()).ok) throw new ChangedMeanwhile();
  return true;
}
