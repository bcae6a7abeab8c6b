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

/** Milliseconds that a deletion waits for the archive before it is left for later. */
const PATIENCE_MS = 5_000;

/**
 * Deletes a life of a task everywhere, and tells its readers.
 *
 * @param incarnation The life. Without it the task is deleted whatever life it is in.
 * @returns Whether there was something.
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
    const life = incarnation ?? (await reader.getTask(taskId))?.record.incarnation;
    if (life === undefined) return false;
    deleted = await deleteLife(context, archive, taskId, life);
  }
  if (deleted) await tellReaders(context, taskId);
  return deleted;
}

/**
 * The archive first: should this instance die in between, whoever archives the task next finds that it
 * is deleted there, and finishes this. The id may live again by the time the second step is taken, so
 * that is about this life only.
 */
async function deleteLife(
  { store }: EngineContext,
  archive: LongTermStore,
  taskId: string,
  life: string,
): Promise<boolean> {
  const deleted = await archive.deleteTask(taskId, life);
  return await store.deleteTask(taskId, { incarnation: life }) || deleted;
}

/**
 * The same for somebody who asked for it: what the archive cannot be told now it is told later, and
 * until then the id is closed.
 *
 * @returns `undefined` if there is no such task.
 * @throws {TaskcastError} `STORE_UNAVAILABLE`, also when the archive cannot be reached and the
 * short-term store keeps nothing over a restart.
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
    const life = incarnation ?? (here && realIncarnation(here)) ??
      (await archive.getTask(taskId))?.record.incarnation;
    if (life === undefined) return false;
    const deleted = await deleteLife(context, archive, taskId, life);
    // Should it be brought back just now, whoever does that finds that it is deleted.
    if (here !== undefined && isRefilling(here) && realIncarnation(here) === life) {
      await store.deleteTask(taskId, { incarnation: here });
    }
    return deleted;
  }, { patienceMs: PATIENCE_MS });
  if (done !== undefined) {
    if (done.answer) await tellReaders(context, taskId);
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
  await tellReaders(context, taskId);
  return "pending";
}

/** Puts a record in the place of a task that says that it is deleted. Tells whether it did. */
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
      marks: { archive: nowMs },
    };
    if (head === undefined) {
      const record = pendingDeletionOfUnknown(taskId, fresh);
      if (incarnation !== undefined) record.deletes = incarnation;
      // As if it were later: the id may be closed behind the very task that is deleted.
      const later = { nowMs: nowMs + RELEASED_ID_MS, events: [] };
      const result = await store.commit({ ...common, ...later, expect: "absent", record });
      if (result.ok) return true;
      if (result.refusal.code !== "EXISTS") throw refused(taskId);
      continue;
    }
    const { version, incarnation: found } = head.record;
    const life = realIncarnation(found);
    if (isPendingDeletion(life) || (incarnation !== undefined && life !== incarnation)) {
      return false;
    }
    const record = pendingDeletion({ ...head.record, incarnation: life }, fresh);
    const result = await store.commit({
      ...common,
      nowMs,
      expect: { version, incarnation: found },
      record,
      // What stands last is never removed from a log.
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

/** Makes room: nobody reads this log any more. Should it fail, it goes with the record. */
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
 * Finishes a deletion that waited for the archive. Harmless when it was done already.
 *
 * @param record What stands in the place of the task.
 */
export async function finishDeletion(
  { store }: EngineContext,
  archive: LongTermStore,
  { task: { id }, incarnation, deletes = "" }: TaskRecord,
): Promise<void> {
  const life = deletes === "" ? (await archive.getTask(id))?.record.incarnation : deletes;
  if (life !== undefined) {
    await archive.deleteTask(id, life);
    await store.deleteTask(id, { incarnation: life }); // Its id may be closed since it was released.
  }
  await store.deleteTask(id, { incarnation });
}

function refused(taskId: string): TaskcastError {
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    `Cannot delete task "${taskId}": the archive cannot be reached, and the short-term store is full`,
  );
}

async function tellReaders(
  { broadcast, report }: EngineContext,
  taskId: string,
): Promise<void> {
  try {
    await broadcast.publish({ taskId, from: 0, length: 0, ended: true });
  } catch (error) {
    // It is deleted: a wake-up that fails costs readers a poll, not the caller an error.
    report(error, { operation: "broadcast", taskId });
  }
}
