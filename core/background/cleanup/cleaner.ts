import type { TaskRecord } from "../../contracts/records.ts";
import type { WorkQueue } from "../../contracts/work_queue.ts";
import { isTerminal } from "../../protocol/status.ts";
import { dueRules, nextCleanup, rulesOf } from "../../domain/retention/cleanup.ts";
import type { EngineContext } from "../../context/context.ts";
import { areUsable } from "../each_alone.ts";
import type { Round } from "../job.ts";
import { Job } from "../job.ts";
import { SetAside } from "../set_aside.ts";
import { cleanTask, hasEventsFor } from "./clean_task.ts";
import { EndedTasks } from "./ended_tasks.ts";
import { isReady } from "./is_ready.ts";

/** Tasks claimed at a time. */
const CLAIM_TASKS = 64;

/** Tasks cleaned concurrently. */
const PARALLEL_TASKS = 8;

/** Milliseconds after which a claim that is not renewed passes to another instance. */
const LEASE_MS = 10_000;

/** Milliseconds until a task that is not ready is checked again. */
const UNREADY_MS = 10_000;

/** Milliseconds between searches for work of other instances; clean-up is not urgent. */
const SWEEP_MS = 10_000;

/** Maximum milliseconds between attempts while stores cannot be reached. */
const MAX_RETRY_MS = 30_000;

/**
 * Deletes ended tasks or their events according to clean-up rules.
 *
 * The commit that ends a task schedules its first rule, and each rule schedules the next. Times
 * are in the store that keeps tasks permanently, and the instance that claims one does what is due. A search
 * through all ended tasks schedules those to which newer rules apply.
 */
export class Cleaner {
  readonly counts = { tasksCleaned: 0, eventsTrimmed: 0 };
  readonly #context: EngineContext;
  readonly #queue: Pick<WorkQueue, "claim" | "schedule">;
  readonly #job: Job;
  /** Tasks whose clean-up fails while that of others succeeds. */
  readonly setAside: SetAside;
  /** The search through all ended tasks, and the rest of its current page. */
  #search?: { tasks: EndedTasks; page: TaskRecord[] };
  #nextSearchAtMs = -Infinity;
  readonly #closing = new AbortController();
  /** Set if there was more to claim. */
  #isBehind = false;

  constructor(context: EngineContext) {
    this.#context = context;
    this.setAside = new SetAside(context, "cleanup");
    this.#queue = context.archive ?? context.store;
    this.#job = new Job(context, {
      operation: "cleanup",
      round: () => this.#round(),
      maxRetryMs: MAX_RETRY_MS,
      minSweepMs: SWEEP_MS,
    });
  }

  /** Starts with what is due, and then runs as needed. */
  start(): void {
    void this.#job.run();
  }

  /** Schedules a round at the time for which a task was scheduled. */
  expect(atMs: number): void {
    this.#job.expect(atMs);
  }

  /** Does what is due now. Resolves when it is done, or has failed and will be retried. */
  async run(): Promise<void> {
    await this.#job.run();
  }

  /** Stops soon. Claimed tasks pass to another instance once the lease expires. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    // Before claiming, because an instance with other rules could claim and unmark the tasks first.
    const isToSearch = this.#context.cleanupRules.length > 0 && !this.#isBehind;
    const searchAtMs = isToSearch ? await this.#scheduleNextPage() : undefined;
    const nowMs = this.#context.clock.now();
    const claimed = await this.#queue.claim("clean", {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: CLAIM_TASKS,
    });
    await this.#cleanAll(claimed.taskIds.filter((taskId) => !this.setAside.isWaiting(taskId)));
    this.#isBehind = claimed.taskIds.length === CLAIM_TASKS;
    const times = [claimed.nextAtMs, searchAtMs].filter((time) => time !== undefined);
    return {
      again: this.#isBehind,
      nextAtMs: times.length === 0 ? undefined : Math.min(...times),
    };
  }

  async #cleanAll(taskIds: readonly string[]): Promise<void> {
    const failures: { taskId: string; error: unknown }[] = [];
    for (let at = 0; at < taskIds.length && !this.#closing.signal.aborted; at += PARALLEL_TASKS) {
      const some = taskIds.slice(at, at + PARALLEL_TASKS);
      await Promise.all(some.map(async (taskId) => {
        try {
          await this.#clean(taskId);
          this.setAside.succeeded(taskId);
        } catch (error) {
          failures.push({ taskId, error });
        }
      }));
      // One failure must not stop the others. If all fail, a store may be the cause.
      if (failures.length === at + some.length && !await this.#areUsable()) {
        throw failures[0]!.error;
      }
    }
    for (const { taskId, error } of failures) await this.#setAside(taskId, error);
  }

  #areUsable(): Promise<boolean> {
    const { clock, store, archive } = this.#context;
    return areUsable(clock, store, archive);
  }

  /** Postpones a task. If that fails too, its lease expires instead. */
  async #setAside(taskId: string, error: unknown): Promise<void> {
    const retryAtMs = this.setAside.failed(taskId, error);
    try {
      const head = await this.#context.reader.getTask(taskId);
      if (head === undefined) return;
      const { incarnation } = head.record;
      await this.#queue.schedule(taskId, "clean", retryAtMs, { incarnation });
      this.expect(retryAtMs);
    } catch {
      // The failure itself has been reported already.
    }
  }

  /**
   * Schedules the ended tasks to which rules for all tasks apply, one page a round.
   *
   * @returns The time at which to continue.
   */
  async #scheduleNextPage(): Promise<number> {
    const { clock, options, archive, store } = this.#context;
    const nowMs = clock.now();
    if (this.#nextSearchAtMs > nowMs) return this.#nextSearchAtMs;
    const search = this.#search ??= { tasks: new EndedTasks(archive ?? store), page: [] };
    if (search.page.length === 0) search.page = await search.tasks.next();
    if (search.page.length === 0) {
      this.#search = undefined;
      this.#nextSearchAtMs = nowMs + options.cleanupSearchMs;
      return this.#nextSearchAtMs;
    }
    // If the store fails, the next round continues with the rest of the page.
    for (let record = search.page.shift(); record !== undefined; record = search.page.shift()) {
      try {
        await this.#scheduleIfDue(record, nowMs, options.cleanupSearchMs);
      } catch (error) {
        if (!await this.#areUsable()) throw error;
        // The next search checks this task again.
        this.#context.report(error, { operation: "cleanup", taskId: record.task.id });
      }
    }
    // Not in the same turn of the event loop, which an in-process store might never leave.
    return nowMs;
  }

  /** Schedules a task if a rule applies soon. */
  async #scheduleIfDue(record: TaskRecord, nowMs: number, searchMs: number): Promise<void> {
    const atMs = await this.#wantedAt(record, nowMs);
    // A later search schedules what is due after it.
    if (atMs === undefined || atMs > nowMs + 2 * searchMs) return;
    const { task: { id }, incarnation } = record;
    await this.#queue.schedule(id, "clean", atMs, { incarnation });
    this.expect(atMs);
  }

  /** Returns when the next rule applies to an ended task, without those that have been applied already. */
  async #wantedAt(record: TaskRecord, nowMs: number): Promise<number | undefined> {
    const { cleanupRules, reader } = this.#context;
    const rules = rulesOf(cleanupRules, record.task);
    const due = dueRules(rules, record.task, nowMs);
    const isDeleted = due.some(({ rule }) => rule.target !== "events");
    if (isDeleted || await hasEventsFor(reader, record, due, nowMs)) return nowMs;
    return nextCleanup(rules, record.task, nowMs);
  }

  /** Applies the due rules to a claimed task, and schedules the next rule. */
  async #clean(taskId: string): Promise<void> {
    const { clock, reader, cleanupRules } = this.#context;
    const head = await reader.getTask(taskId);
    if (head === undefined) return;
    const { record: { task, incarnation } } = head;
    const schedule = async (atMs: number | undefined) => {
      await this.#queue.schedule(taskId, "clean", atMs, { incarnation });
      if (atMs !== undefined) this.expect(atMs);
    };
    const rules = rulesOf(cleanupRules, task);
    const nowMs = clock.now();
    const due = dueRules(rules, task, nowMs);
    if (due.length > 0 && !await isReady(this.#context, head, due)) {
      await schedule(nowMs + UNREADY_MS);
      return;
    }
    let renewedMs = nowMs;
    const { signal } = this.#closing;
    const report = await cleanTask(this.#context, head, due, {
      signal,
      renew: async () => {
        if (clock.now() - renewedMs < LEASE_MS / 4) return;
        renewedMs = clock.now();
        await this.#queue.schedule(taskId, "clean", renewedMs + LEASE_MS, { incarnation });
      },
    });
    if (report?.action === "deleted") this.counts.tasksCleaned++;
    if (report?.action === "trimmed") this.counts.eventsTrimmed += report.events;
    if (signal.aborted) return; // The work may be incomplete.
    await schedule(isTerminal(task.status) ? nextCleanup(rules, task, nowMs) : undefined);
  }
}
