import type { TaskEvent } from "../protocol/event.ts";
import { BOUNDS } from "../protocol/limits.ts";
import type { Task } from "../protocol/task.ts";
import {
  DISPLACED_TAG,
  displacedId,
  isDisplaced,
  undisplaced,
} from "../domain/retention/displaced.ts";
import { toTaskEvent } from "../domain/event_json.ts";
import { assertCount } from "../domain/validate/query.ts";
import type { EngineContext } from "../context/context.ts";

/** A task that the archive keeps though another one has its id. */
export interface DisplacedTask {
  /** The task as it was. */
  task: Task;
  /** What tells it from others of its id. */
  incarnation: string;
}

/** A place in the list of displaced tasks. */
export type DisplacedPlace = Pick<Task, "id" | "createdAt"> & { incarnation: string };

/** A displaced task with its log. */
export interface DisplacedExport extends DisplacedTask {
  /** All of its events, in order; read a page at a time as they are asked for. */
  events: AsyncGenerator<TaskEvent, void>;
}

/** Displaced tasks, newest first, after a place in this order. */
export async function listDisplaced(
  { archive }: EngineContext,
  { limit = 50, after }: { limit?: number; after?: DisplacedPlace } = {},
): Promise<DisplacedTask[]> {
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

/** A displaced task with its log, or `undefined` if there is no such. */
export async function exportDisplaced(
  context: EngineContext,
  taskId: string,
  incarnation: string,
): Promise<DisplacedExport | undefined> {
  const head = await context.archive?.getTask(displacedId(taskId, incarnation));
  if (head === undefined) return undefined;
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

/** Deletes a displaced task for good. Tells whether it was there. */
export async function deleteDisplaced(
  { archive }: EngineContext,
  taskId: string,
  incarnation: string,
): Promise<boolean> {
  return await archive?.deleteTask(displacedId(taskId, incarnation), incarnation) ?? false;
}
