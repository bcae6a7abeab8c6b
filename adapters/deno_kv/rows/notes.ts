import type { NoteChange } from "@taskcast/core/adapter";
import { claimStaged, prefixOf, readText, stage } from "./blobs.ts";
import { Changes } from "./changes.ts";
import type { Database } from "../connection/database.ts";
import { ChangedMeanwhile } from "../errors.ts";
import type { Head, Text } from "./values.ts";

async function headOf({ kv, keys }: Database, taskId: string): Promise<Head | undefined> {
  return (await kv.get(keys.head(taskId))).value as Head | undefined ?? undefined;
}

/** The notes of a life of a task. */
export async function readNotes(
  database: Database,
  taskId: string,
  incarnation: string,
): Promise<Record<string, string> | undefined> {
  const { kv, keys } = database;
  const head = await headOf(database, taskId);
  if (head?.incarnation !== incarnation) return undefined;
  const { life } = head;
  const notes: [string, Promise<string>][] = [];
  for await (const { key, value } of kv.list({ prefix: keys.of(life, "note") })) {
    notes.push([key.at(-1) as string, readText(database, life, value as Text)]);
  }
  const read = await Promise.all(notes.map(async ([name, text]) => [name, await text] as const));
  if ((await kv.get(keys.alive(life))).value === null) throw new ChangedMeanwhile();
  return Object.fromEntries(read);
}

/** Changes a note. It is no change of the task, so the task's head is left alone. */
export async function writeNote(
  database: Database,
  { taskId, incarnation, name }: { taskId: string; incarnation: string; name: string },
  { from, to }: NoteChange,
): Promise<boolean> {
  const { kv, keys } = database;
  const head = await headOf(database, taskId);
  if (head?.incarnation !== incarnation) return false;
  const { life } = head;
  const [alive, note] = await kv.getMany([keys.alive(life), keys.note(life, name)]);
  if (alive!.value === null) throw new ChangedMeanwhile();
  const text = note!.value as Text | null;
  const current = text === null ? undefined : await readText(database, life, text);
  if (current !== from) return false;
  const changes = new Changes();
  if (to === undefined) changes.delete(note!.key);
  else changes.set(note!.key, changes.text(to));
  changes.discard(keys, life, ...prefixOf(text ?? undefined));
  const staged = await stage(database, life, changes);
  const atomic = changes.write(kv.atomic().check(alive!).check(note!));
  if (!(await claimStaged(atomic, staged).commit()).ok) throw new ChangedMeanwhile();
  return true;
}
