import type { TaskEngine } from "@taskcast/core";
import type { ScheduledTask } from "@taskcast/core/adapter";
import { invalidInput, TASK_ID_PATTERN } from "@taskcast/core/protocol";

/** A page of tasks with failed deliveries. */
export interface UndeliveredPage {
  /** Oldest failure first. */
  tasks: { taskId: string; since: number }[];
  /** Cursor of the next page; left out on the last one. */
  nextCursor?: string;
}

/**
 * Maximum number of pages read for one answer, and of tasks read at a time after that, until the
 * end of the millisecond in which reading stopped.
 */
const MAX_ROUNDS = 20;
const CATCH_UP_PAGE = 100;

/**
 * Lists the tasks with failed deliveries that a caller may see.
 *
 * The cursor names the last task that the page shows. If reading stopped at another task, the
 * cursor is a time alone, whose tasks have then all been read: a cursor reveals nothing about
 * hidden tasks.
 *
 * @throws {TaskcastError} `INVALID_INPUT` for a malformed cursor.
 */
export async function listUndelivered(
  engine: Pick<TaskEngine, "listUndelivered">,
  { limit, cursor, mayKnow }: {
    limit: number;
    cursor?: string;
    mayKnow: (taskId: string) => Promise<boolean>;
  },
): Promise<UndeliveredPage> {
  let after = cursor === undefined ? undefined : positionOf(cursor);
  const tasks: UndeliveredPage["tasks"] = [];
  let stoppedAt: number | undefined;
  for (let round = 0;; round++) {
    const wanted = stoppedAt === undefined ? limit - tasks.length : CATCH_UP_PAGE;
    const page: ScheduledTask[] = await engine.listUndelivered({ limit: wanted, after });
    for (const { taskId, atMs } of page) {
      if (stoppedAt !== undefined && atMs > stoppedAt) {
        return { tasks, nextCursor: `${stoppedAt}.` };
      }
      after = { taskId, atMs };
      if (!await mayKnow(taskId)) continue;
      tasks.push({ taskId, since: atMs });
      if (tasks.length === limit) return { tasks, nextCursor: `${atMs}.${taskId}` };
    }
    if (page.length < wanted) return { tasks };
    if (round >= MAX_ROUNDS - 1) stoppedAt ??= after?.atMs;
  }
}

/** Returns the position behind a cursor. */
function positionOf(cursor: string): ScheduledTask {
  const [, digits, taskId = ""] = /^(\d{1,15})\.(.*)$/s.exec(cursor) ?? [];
  if (digits === undefined || (taskId !== "" && !TASK_ID_PATTERN.test(taskId))) {
    throw invalidInput("cursor", "must be the nextCursor of an earlier answer");
  }
  const atMs = Number(digits);
  return taskId === "" ? { atMs: atMs + 1, taskId } : { atMs, taskId };
}
