import type { TaskEngine } from "@taskcast/core";
import type { MarkedTask } from "@taskcast/core/adapter";
import { invalidInput, TASK_ID_PATTERN } from "@taskcast/core/protocol";

/** Tasks with deliveries that were given up. */
export interface UndeliveredPage {
  /** The longest ago first. */
  tasks: { taskId: string; since: number }[];
  /** Where the next page begins; left out on the last. */
  nextCursor?: string;
}

/**
 * Pages read for one answer, and tasks read at a time after that, up to the end of the millisecond in
 * which it ended.
 */
const MAX_ROUNDS = 20;
const LOOK_ON = 100;

/**
 * Lists the tasks with deliveries that were given up which a caller may know of.
 *
 * The cursor is the last task that the page shows. Where looking stopped at another it is the time
 * alone, of which then nothing is left: a cursor says nothing of tasks that the caller may not know.
 *
 * @throws {TaskcastError} `INVALID_INPUT` for a cursor that is none.
 */
export async function listUndelivered(
  engine: Pick<TaskEngine, "listUndelivered">,
  { limit, cursor, mayKnow }: {
    limit: number;
    cursor?: string;
    mayKnow: (taskId: string) => Promise<boolean>;
  },
): Promise<UndeliveredPage> {
  let after = cursor === undefined ? undefined : placeAt(cursor);
  const tasks: UndeliveredPage["tasks"] = [];
  let stoppedAt: number | undefined;
  for (let round = 0;; round++) {
    const wanted = stoppedAt === undefined ? limit - tasks.length : LOOK_ON;
    const page: MarkedTask[] = await engine.listUndelivered({ limit: wanted, after });
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

/** The place behind what a cursor names. */
function placeAt(cursor: string): MarkedTask {
  const [, digits, taskId = ""] = /^(\d{1,15})\.(.*)$/s.exec(cursor) ?? [];
  if (digits === undefined || (taskId !== "" && !TASK_ID_PATTERN.test(taskId))) {
    throw invalidInput("cursor", "must be the nextCursor of an earlier answer");
  }
  const atMs = Number(digits);
  return taskId === "" ? { atMs: atMs + 1, taskId } : { atMs, taskId };
}
