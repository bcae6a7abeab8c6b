import type { ClaimedWork, MarkedTask, Work } from "../contracts/work_queue.ts";
import { WORK_KINDS } from "../contracts/work_queue.ts";
import { DueIndex } from "./due_index.ts";

/** Which tasks are marked for which work, and from when on. */
export class WorkTable {
  readonly #marks = Object.fromEntries(
    WORK_KINDS.map((kind) => [kind, new DueIndex<Work>([kind])]),
  ) as Record<Work, DueIndex<Work>>;

  /** From when on a task is marked, or `undefined` if it is not. */
  get(taskId: string, work: Work): number | undefined {
    return this.#marks[work].get(taskId)?.[work];
  }

  /** Marks a task, or takes its mark away. */
  set(taskId: string, work: Work, atMs: number | undefined): void {
    if (atMs === undefined) this.#marks[work].delete(taskId);
    else this.#marks[work].set(taskId, { [work]: atMs });
  }

  /** Takes all marks of a task away. */
  delete(taskId: string): void {
    for (const kind of WORK_KINDS) this.#marks[kind].delete(taskId);
  }

  /** Takes tasks whose time has come, and moves their marks. */
  claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): ClaimedWork {
    const { entries, nextAtMs } = this.#marks[work].read(nowMs, limit);
    for (const { taskId } of entries) this.set(taskId, work, untilMs);
    const claimed: ClaimedWork = { taskIds: entries.map(({ taskId }) => taskId) };
    if (entries.length > 0) claimed.oldestAtMs = entries[0]!.atMs;
    if (nextAtMs !== undefined) claimed.nextAtMs = nextAtMs;
    return claimed;
  }

  /** Tasks that are marked, earliest first and then by id. */
  list(work: Work, { limit, after }: { limit: number; after?: MarkedTask }): MarkedTask[] {
    const { entries } = this.#marks[work].read(Infinity, Infinity);
    const sorted = entries.map(({ taskId, atMs }) => ({ taskId, atMs })).sort(byTime);
    const rest = after === undefined ? sorted : sorted.filter((task) => byTime(task, after) > 0);
    return rest.slice(0, limit);
  }
}

function byTime(a: MarkedTask, b: MarkedTask): number {
  return a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}
