import type { LongTermStore } from "../../contracts/long_term_store.ts";
import type { TaskHead, TaskRecord } from "../../contracts/records.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { isTerminal, TASK_STATUSES } from "../../protocol/status.ts";
import { isDisplaced } from "../../domain/retention/displaced.ts";
import { isRefilling } from "../../domain/retention/refilling.ts";
import type { ArchiveFaults } from "./archive_faults.ts";
import type { EngineContext } from "../../context/context.ts";
import type { Refill } from "./refill.ts";

/** Archived tasks checked in one round. */
const PAGE_TASKS = 50;

/** Maximum number of reported tasks that are remembered. The next search finds the others. */
const MAX_REPORTED = 1_000;

/** Milliseconds between searches through the archive, because a part of a store may have been restored. */
const SEARCH_INTERVAL_MS = 21_600_000;

const LIVE: readonly TaskStatus[] = TASK_STATUSES.filter((status) => !isTerminal(status));

/**
 * Finds live tasks of which the archive has more than the short-term store, and restores them. It searches
 * the archive's live tasks at the start, after a store was unreachable or interrupted, and at regular
 * intervals. Callers also report tasks that they failed to write to.
 */
export class LostTasks {
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #faults: ArchiveFaults;
  readonly #refill: Refill;
  readonly #reported = new Set<string>();
  /** The position of the search through the archive. */
  #cursor: { createdAt: number; id: string } | "done" | undefined;
  /** The time to retry tasks that could not be restored. */
  #retryAtMs = Infinity;
  #searchedAtMs = -Infinity;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    { faults, refill }: { faults: ArchiveFaults; refill: Refill },
  ) {
    this.#context = context;
    this.#archive = archive;
    this.#faults = faults;
    this.#refill = refill;
  }

  /** Restarts the search, because the short-term store may have lost data. */
  restart(): void {
    this.#cursor = undefined;
  }

  /** Reports a task that only the archive has. */
  report(taskId: string): void {
    if (this.#reported.size < MAX_REPORTED) this.#reported.add(taskId);
  }

  /** Restores reported tasks and those on one page. Returns whether there is more, and when to continue. */
  async restoreSome(): Promise<{ more: boolean; nextAtMs?: number }> {
    const { clock } = this.#context;
    const reported = [...this.#reported].filter((id) => !this.#faults.archive.isWaiting(id));
    this.#reported.clear();
    await this.#restore(reported);
    if (this.#retryAtMs <= clock.now() || this.#searchedAtMs + SEARCH_INTERVAL_MS <= clock.now()) {
      this.#retryAtMs = Infinity;
      this.#searchedAtMs = clock.now();
      this.restart();
    }
    const more = this.#cursor !== "done" && await this.#restorePage(this.#cursor);
    return { more, nextAtMs: this.#retryAtMs === Infinity ? undefined : this.#retryAtMs };
  }

  async #restorePage(after: { createdAt: number; id: string } | undefined): Promise<boolean> {
    const { tasks, more } = await this.#archive.listTasks({
      statuses: LIVE,
      limit: PAGE_TASKS,
      after,
    });
    const { store } = this.#context;
    const absent: string[] = [];
    const there: TaskHead[] = [];
    for (const { task: { id } } of tasks) {
      if (isDisplaced(id) || this.#faults.archive.isWaiting(id)) continue;
      const head = await store.getTask(id);
      if (head === undefined || isRefilling(head.record.incarnation)) absent.push(id);
      else there.push(head);
    }
    await this.#restore(absent);
    const isScheduled = await this.#scheduleArchiveAhead(there);
    const last = tasks.at(-1)?.task;
    this.#cursor = more && last ? { createdAt: last.createdAt, id: last.id } : "done";
    return this.#cursor !== "done" || isScheduled;
  }

  /** Schedules tasks of which the archive has more for the archiver. Returns whether there are any. */
  async #scheduleArchiveAhead(heads: readonly TaskHead[]): Promise<boolean> {
    const { store, clock } = this.#context;
    const identity = ({ task: { id: taskId }, incarnation }: TaskRecord) => ({
      taskId,
      incarnation,
    });
    const found = await this.#faults.runTogether(
      "archive",
      heads,
      ({ record }) => identity(record),
      (some) => this.#archive.positions(some.map(({ record }) => identity(record))),
    );
    const older = found.filter(({ item: { record, length }, value }) =>
      !value.deleted && (value.length > length || value.version > record.version)
    );
    for (const { item: { record: { task } } } of older) {
      await store.schedule(task.id, "archive", clock.now());
    }
    return older.length > 0;
  }

  async #restore(taskIds: readonly string[]): Promise<void> {
    await this.#faults.runEach("archive", taskIds, (taskId) => ({ taskId }), async (taskId) => {
      await this.#refill.run(taskId);
      this.#faults.archive.succeeded(taskId);
    });
    if (taskIds.some((taskId) => this.#faults.archive.isWaiting(taskId))) {
      this.#retryAtMs = this.#faults.archive.nextAtMs;
    }
  }
}
