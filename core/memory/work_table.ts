import type { ClaimedWork, ScheduledTask, Work } from "../contracts/work_queue.ts";
import { WORK_KINDS } from "../contracts/work_queue.ts";
import { DueIndex } from "./due_index.ts";

/** Tasks scheduled for work, with their times. */
export class WorkTable {
  readonly #times = Object.fromEntries(
    WORK_KINDS.map((kind) => [kind, new DueIndex<Work>([kind])]),
  ) as Record<Work, DueIndex<Work>>;

  /** Returns the time from which a task is scheduled, or `undefined`. */
  get(taskId: string, work: Work): number | undefined {
    return this.#times[work].get(taskId)?.[work];
  }

  /** Schedules a task, or removes its time. */
  set(taskId: string, work: Work, atMs: number | undefined): void {
    if (atMs === undefined) this.#times[work].delete(taskId);
    else this.#times[work].set(taskId, { [work]: atMs });
  }

  /** Removes a task from every schedule. */
  delete(taskId: string): void {
    for (const kind of WORK_KINDS) this.#times[kind].delete(taskId);
  }

  /** Claims tasks whose time has come, and moves their times. */
  claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): ClaimedWork {
    const { entries, nextAtMs } = this.#times[work].read(nowMs, limit);
    for (const { taskId } of entries) this.set(taskId, work, untilMs);
    const claimed: ClaimedWork = { taskIds: entries.map(({ taskId }) => taskId) };
    if (entries.length > 0) claimed.oldestAtMs = entries[0]!.atMs;
    if (nextAtMs !== undefined) claimed.nextAtMs = nextAtMs;
    return claimed;
  }

  /** Returns scheduled tasks, earliest first and then by id. */
  list(work: Work, { limit, after }: { limit: number; after?: ScheduledTask }): ScheduledTask[] {
    const { entries } = this.#times[work].read(Infinity, Infinity);
    const sorted = entries.map(({ taskId, atMs }) => ({ taskId, atMs })).sort(byTime);
    const rest = after === undefined ? sorted : sorted.filter((task) => byTime(task, after) > 0);
    return rest.slice(0, limit);
  }
}

function byTime(a: ScheduledTask, b: ScheduledTask): number {
  return a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}
