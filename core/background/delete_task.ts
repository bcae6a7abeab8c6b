import type { LongTermStore } from "../contracts/long_term_store.ts";
import type { TaskRecord } from "../contracts/records.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { SERVER_EVENT } from "../protocol/event.ts";
import type { Deletion } from "../protocol/task.ts";
import { RELEASED_ID_MS } from "../domain/fresh_id.ts";
import {
  isPendingDeletion,
  pendingDeletion,
  pendingDeletionOfUnknown,
} from "../domain/retention/pending_deletion.ts";
import { isRefilling, realIncarnation } from "../domain/retention/refilling.ts";
import { findTrims } from "./cleanup/find_trims.ts";
import type { EngineContext } from "../context/context.ts";
import { serverDraft } from "../context/drafts.ts";
import { newIncarnation } from "../context/incarnation.ts";

/** Milliseconds that a deletion waits for the archive before it is deferred. */
const PATIENCE_MS = 5_000;

/**
 * Deletes one incarnation of a task from all stores, and notifies its readers.
 *
 * @param incarnation The incarnation to delete. @default the current one
 * @returns Whether it existed.
 */
export async function deleteTask(
  context: EngineContext,
  taskId: string,
  incarnation?: string,
): Promise<boolean> {
  const { store, archive, reader } = context;
  let deleted: boolean;
  if (archive === undefined) {
    deleted = await store.deleteTask(
      taskId,
      incarnation === undefined ? undefined : { incarnation },
    );
  } else {
    const target = incarnation ?? (await reader.getTask(taskId))?.record.incarnation;
    if (target === undefined) return false;
    deleted = await deleteIncarnation(context, archive, taskId, target);
  }
  if (deleted) await notifyReaders(context, taskId);
  return deleted;
}

/**
 * Deletes the archive's copy first. If this instance dies in between, the next archiver of the task finds
 * it deleted there and finishes the work. A new task may have the id by the second step, so that is
 * limited to this incarnation.
 */
async function deleteIncarnation(
  { store }: EngineContext,
  archive: LongTermStore,
  taskId: string,
  target: string,
): Promise<boolean> {
  const deleted = await archive.deleteTask(taskId, target);
  return await store.deleteTask(taskId, { incarnation: target }) || deleted;
}

/**
 * Deletes a task on request. If the archive cannot be reached, its copy is deleted later and the id is
 * reserved until then.
 *
 * @returns `undefined` if the task does not exist.
 * @throws {TaskcastError} `STORE_UNAVAILABLE`, also if the archive cannot be reached and the short-term
 * store does not survive a restart.
 */
export async function deleteNowOrLater(
  context: EngineContext,
  taskId: string,
  incarnation?: string,
): Promise<Deletion | undefined> {
  const { store, access } = context;
  if (access === undefined) {
    return await deleteTask(context, taskId, incarnation) ? "deleted" : undefined;
  }
  const here = (await store.getTask(taskId))?.record.incarnation;
  if (here !== undefined && isPendingDeletion(here)) return undefined;
  const done = await access.ask(async (archive) => {
    const target = incarnation ?? (here && realIncarnation(here)) ??
      (await archive.getTask(taskId))?.record.incarnation;
    if (target === undefined) return false;
    const deleted = await deleteIncarnation(context, archive, taskId, target);
    // If another instance is restoring the task, it finds out that the task was deleted.
    if (here !== undefined && isRefilling(here) && realIncarnation(here) === target) {
      await store.deleteTask(taskId, { incarnation: here });
    }
    return deleted;
  }, { patienceMs: PATIENCE_MS });
  if (done !== undefined) {
    if (done.answer) await notifyReaders(context, taskId);
    return done.answer ? "deleted" : undefined;
  }
  if (!store.durable) {
    throw new TaskcastError(
      "STORE_UNAVAILABLE",
      `Cannot delete task "${taskId}": the archive cannot be reached, and the short-term store, ` +
        "which keeps nothing over a restart, cannot remember to do it later; try again",
    );
  }
  if (!await leaveForLater(context, taskId, incarnation)) return undefined;
  await notifyReaders(context, taskId);
  return "pending";
}

/** Replaces a task with a record of its pending deletion. Returns whether the task existed. */
async function leaveForLater(
  context: EngineContext,
  taskId: string,
  incarnation: string | undefined,
): Promise<boolean> {
  const { store, clock } = context;
  for (;;) {
    const nowMs = clock.now();
    const head = await store.getTask(taskId);
    const fresh = { incarnation: newIncarnation(), nowMs };
    const common = {
      taskId,
      due: {},
      maxEvents: Number.MAX_SAFE_INTEGER,
      maxBytes: Number.MAX_SAFE_INTEGER,
      schedule: { archive: nowMs },
    };
    if (head === undefined) {
      const record = pendingDeletionOfUnknown(taskId, fresh);
      if (incarnation !== undefined) record.deletes = incarnation;
      // With a later time, because the id may be reserved since the task was released.
      const later = { nowMs: nowMs + RELEASED_ID_MS, events: [] };
      const result = await store.commit({ ...common, ...later, expect: "absent", record });
      if (result.ok) return true;
      if (result.refusal.code !== "EXISTS") throw refused(taskId);
      continue;
    }
    const { version, incarnation: found } = head.record;
    const target = realIncarnation(found);
    if (isPendingDeletion(target) || (incarnation !== undefined && target !== incarnation)) {
      return false;
    }
    const record = pendingDeletion({ ...head.record, incarnation: target }, fresh);
    const result = await store.commit({
      ...common,
      nowMs,
      expect: { version, incarnation: found },
      record,
      // The newest event of a log can never be trimmed, so this one makes the others trimmable.
      events: [serverDraft({ type: SERVER_EVENT.status, data: { status: record.task.status } })],
    });
    if (result.ok) {
      await emptyLog(context, record);
      return true;
    }
    if (result.refusal.code !== "CONFLICT" && result.refusal.code !== "ABSENT") {
      throw refused(taskId);
    }
  }
}

/** Frees the memory of a log that is not read any more. If it fails, the log goes with the record. */
async function emptyLog(
  { store, report, options: { pageSize } }: EngineContext,
  { task: { id: taskId }, incarnation }: TaskRecord,
): Promise<void> {
  try {
    const query = { taskId, incarnation, takes: () => true, pageSize };
    for await (const trim of findTrims(store, query)) {
      await store.trimLog(taskId, incarnation, trim);
    }
  } catch (error) {
    report(error, { operation: "deletion", taskId });
  }
}

/**
 * Finishes a deletion that waited for the archive. Idempotent.
 *
 * @param record The record of the pending deletion.
 */
export async function finishDeletion(
  { store }: EngineContext,
  archive: LongTermStore,
  { task: { id }, incarnation, deletes = "" }: TaskRecord,
): Promise<void> {
  const target = deletes === "" ? (await archive.getTask(id))?.record.incarnation : deletes;
  if (target !== undefined) {
    await archive.deleteTask(id, target);
    await store.deleteTask(id, { incarnation: target }); // Its id may be reserved.
  }
  await store.deleteTask(id, { incarnation });
}

function refused(taskId: string): TaskcastError {
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    `Cannot delete task "${taskId}": the archive cannot be reached, and the short-term store is full`,
  );
}

async function notifyReaders(
  { broadcast, report }: EngineContext,
  taskId: string,
): Promise<void> {
  try {
    await broadcast.publish({ taskId, from: 0, length: 0, ended: true });
  } catch (error) {
    // The task is deleted. A failed wake-up costs readers a poll and is no error for the caller.
    report(error, { operation: "broadcast", taskId });
  }
}
