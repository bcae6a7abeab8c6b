import type { TaskEvent } from "../../protocol/event.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import type { Task } from "../../protocol/task.ts";
import {
  DISPLACED_TAG,
  displacedId,
  isDisplaced,
  undisplaced,
} from "../../domain/retention/displaced.ts";
import { toTaskEvent } from "../../domain/event_json.ts";
import { text } from "../../domain/validate/checks.ts";
import { assertCount, assertOptions } from "../../domain/validate/query.ts";
import { taskNotFound } from "../../context/refusals.ts";
import { assertTaskId } from "../../protocol/task_id.ts";
import { assertDisplacedPlace } from "../assert_arguments.ts";
import type { EngineContext } from "../../context/context.ts";

/** A task that the archive keeps although a newer task has its id. */
export interface DisplacedTask {
  /** The task. */
  task: Task;
  /** Distinguishes it from other tasks with the same id. */
  incarnation: string;
}

/** A position in the list of displaced tasks. */
export type DisplacedPlace = Pick<Task, "id" | "createdAt"> & { incarnation: string };

/** A displaced task with its log. */
export interface DisplacedExport extends DisplacedTask {
  /** All of its events, in order; read a page at a time, on request. */
  events: AsyncGenerator<TaskEvent, void>;
}

/** Lists displaced tasks, newest first, after a position in this order. */
export async function listDisplaced(
  { archive }: EngineContext,
  options: { limit?: number; after?: DisplacedPlace },
): Promise<DisplacedTask[]> {
  assertOptions(options);
  const { limit = 50, after } = options;
  if (after !== undefined) assertDisplacedPlace(after, "after");
  assertCount(limit, "limit", 1, BOUNDS.listPage);
  if (archive === undefined) return [];
  const page = await archive.listTasks({
    tag: DISPLACED_TAG,
    limit,
    after: after && { createdAt: after.createdAt, id: displacedId(after.id, after.incarnation) },
  });
  // A caller may have used the same tag.
  return page.tasks.filter(({ task }) => isDisplaced(task.id)).map((record) => {
    const { task, incarnation } = undisplaced(record);
    return { task, incarnation };
  });
}

/**
 * Returns a displaced task with its log.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
 */
export async function exportDisplaced(
  context: EngineContext,
  taskId: string,
  incarnation: string,
): Promise<DisplacedExport> {
  assertTaskId(taskId);
  text(incarnation, "incarnation");
  const head = await context.archive?.getTask(displacedId(taskId, incarnation));
  if (head === undefined) throw taskNotFound(taskId);
  const { task } = undisplaced(head.record);
  return { task, incarnation, events: eventsOf(context, task.id, incarnation) };
}

async function* eventsOf(
  { archive, options }: EngineContext,
  taskId: string,
  incarnation: string,
): AsyncGenerator<TaskEvent, void> {
  const { pageSize: limit, pageBytes: maxBytes } = options;
  for (let after = -1;;) {
    const page = await archive!.readLog(displacedId(taskId, incarnation), {
      after,
      limit,
      maxBytes,
    });
    if (page === undefined) return;
    for (const event of page.events) yield toTaskEvent(taskId, event);
    after = page.scannedTo;
    if (after >= page.length - 1) return;
  }
}

/**
 * Deletes a displaced task permanently.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
 */
export async function deleteDisplaced(
  { archive }: EngineContext,
  taskId: string,
  incarnation: string,
): Promise<void> {
  assertTaskId(taskId);
  text(incarnation, "incarnation");
  const isDeleted = await archive?.deleteTask(displacedId(taskId, incarnation), incarnation);
  if (!isDeleted) throw taskNotFound(taskId);
}
