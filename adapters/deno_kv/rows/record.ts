import type { Commit, StoredDueTimes, Work } from "@taskcast/core/adapter";
import { DUE_KINDS, storedDue, WORK_KINDS } from "@taskcast/core/adapter";
import { prefixOf } from "./blobs.ts";
import type { Changes } from "./changes.ts";
import { newName } from "./changes.ts";
import type { Keys } from "../keys.ts";
import type { TaskState } from "./task_state.ts";
import type { FoldsEnd, Head, ListedValue } from "./values.ts";

/** Writes the head of a state, and the entry after its folds. */
export function setHead(keys: Keys, { taskId, head }: TaskState, changes: Changes): void {
  const { life: storageId, length, status, wide } = head!;
  changes.set(keys.head(taskId), head);
  const end: FoldsEnd = { length, status };
  if (wide !== undefined) end.wide = true;
  changes.set(keys.foldsEnd(storageId), end);
}

/** Creates or replaces the record of a task, with its list entries. */
export function writeRecord(keys: Keys, state: TaskState, changes: Changes, commit: Commit): void {
  const { taskId } = state;
  const record = commit.record!;
  const { task, incarnation, version, hooked = false } = record;
  const before = state.head;
  const storageId = before?.life ?? newName();
  const text = changes.text(JSON.stringify(record));
  const head: Head = {
    life: storageId,
    length: 0,
    dataChars: 0,
    lastMs: 0,
    classes: 0,
    marks: {},
    ...before,
    incarnation,
    version,
    status: task.status,
    hooked,
    due: storedDue(commit.due ?? {}, before?.due.lease),
    listed: { createdAt: task.createdAt, type: task.type, tags: [...new Set(task.tags)] },
  };
  delete head.record;
  delete head.lease;
  if (record.lease !== undefined) head.lease = record.lease;
  if (typeof text !== "string") head.record = text;
  changes.set(keys.record(taskId), text);
  if (before === undefined) changes.set(keys.alive(storageId), true);
  else {
    for (const list of listsOf(before)) changes.delete(keys.byAge(list, placeOf(taskId, before)));
    changes.discard(keys, storageId, ...prefixOf(before.record));
  }
  const listed: ListedValue = { status: task.status, type: task.type };
  for (const list of listsOf(head)) changes.set(keys.byAge(list, placeOf(taskId, head)), listed);
  deleteDue(keys, taskId, before?.due ?? {}, changes);
  for (const kind of DUE_KINDS) {
    const atMs = head.due[kind];
    if (atMs !== undefined) changes.set(keys.due(atMs, kind, taskId), true);
  }
  state.head = head;
}

/** Removes a task; its data is removed later. */
export function deleteTask(keys: Keys, state: TaskState, changes: Changes): void {
  const { taskId } = state;
  const head = state.head!;
  changes.delete(keys.head(taskId));
  changes.delete(keys.record(taskId));
  changes.delete(keys.alive(head.life));
  changes.delete(keys.foldsEnd(head.life));
  for (const list of listsOf(head)) changes.delete(keys.byAge(list, placeOf(taskId, head)));
  deleteDue(keys, taskId, head.due, changes);
  for (const kind of WORK_KINDS) {
    const atMs = head.marks[kind];
    if (atMs !== undefined) changes.delete(keys.work(kind, atMs, taskId));
  }
  changes.discard(keys, head.life, []);
  state.head = undefined;
}

/** Sets the expiry of a task's lease. */
export function setLeaseDue(keys: Keys, state: TaskState, changes: Changes, atMs: number): void {
  const head = state.head!;
  const before = head.due.lease;
  if (before !== undefined) changes.delete(keys.due(before, "lease", state.taskId));
  changes.set(keys.due(atMs, "lease", state.taskId), true);
  state.head = { ...head, due: { ...head.due, lease: atMs } };
  changes.set(keys.head(state.taskId), state.head);
}

/** Sets, moves or removes the time at which a task is scheduled for work. */
export function setWorkTime(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  kind: Work,
  atMs: number | undefined,
): void {
  const head = state.head!;
  const before = head.marks[kind];
  if (before !== undefined) changes.delete(keys.work(kind, before, state.taskId));
  if (atMs !== undefined) changes.set(keys.work(kind, atMs, state.taskId), true);
  const marks = { ...head.marks };
  if (atMs === undefined) delete marks[kind];
  else marks[kind] = atMs;
  state.head = { ...head, marks };
  changes.set(keys.head(state.taskId), state.head);
}

function listsOf({ status, listed: { type, tags } }: Head): [string, ...string[]][] {
  return [
    ["all"],
    ["status", status],
    ...type === undefined ? [] : [["type", type] as [string, string]],
    ...tags.map((tag): [string, string] => ["tag", tag]),
  ];
}

function placeOf(id: string, { listed: { createdAt } }: Head): { createdAt: number; id: string } {
  return { createdAt, id };
}

function deleteDue(keys: Keys, taskId: string, due: StoredDueTimes, changes: Changes): void {
  for (const kind of DUE_KINDS) {
    const atMs = due[kind];
    if (atMs !== undefined) changes.delete(keys.due(atMs, kind, taskId));
  }
}
