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

/** Tasks claimed at a time, and cleaned at the same time. */
const CLAIM_TASKS = 64;
const PARALLEL_TASKS = 8;

/** A claim that is not renewed by then is somebody else's. */
const LEASE_MS = 10_000;

/** Until it is looked again at a task that is not ready. */
const UNREADY_MS = 10_000;

/** Between looks for what others left: nobody waits for clean-up. */
const SWEEP_MS = 10_000;

/** Between looks while stores cannot be reached. */
const MAX_RETRY_MS = 30_000;

/**
 * Deletes ended tasks, or events of them, as rules say.
 *
 * The commit that ends a task marks it for its first rule, and the mark moves on from rule to rule.
 * Marks are where tasks are kept for good; whichever instance claims one carries out what is due. A
 * look through all ended tasks marks those that rules are about which came later.
 */
export class Cleaner {
  readonly counts = { tasksCleaned: 0, eventsTrimmed: 0 };
  readonly #context: EngineContext;
  readonly #queue: Pick<WorkQueue, "claim" | "mark">;
  readonly #job: Job;
  /** Tasks that cannot be cleaned, while others are. */
  readonly setAside: SetAside;
  /** How far the look through all ended tasks is, and what is left of the page. */
  #search?: { tasks: EndedTasks; page: TaskRecord[] };
  #nextSearchAtMs = -Infinity;
  readonly #closing = new AbortController();
  /** There was more to claim than was claimed. */
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

  /** Looks for what is due, and then as needed. */
  start(): void {
    void this.#job.run();
  }

  /** A task was marked for this time. */
  expect(atMs: number): void {
    this.#job.expect(atMs);
  }

  /** Does what is due now. Resolves when it is done, or when it failed and will be tried again. */
  async run(): Promise<void> {
    await this.#job.run();
  }

  /** Stops soon. What was claimed is somebody else's once the lease runs out. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    // Before claiming: an instance that has other rules could come first, and unmark the tasks.
    const isToLook = this.#context.cleanupRules.length > 0 && !this.#isBehind;
    const searchAtMs = isToLook ? await this.#lookThrough() : undefined;
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
      // One that fails must not keep others from it; when all do, it may be a store.
      if (failures.length === at + some.length && !await this.#areUsable()) {
        throw failures[0]!.error;
      }
    }
    for (const { taskId, error } of failures) await this.#putAside(taskId, error);
  }

  #areUsable(): Promise<boolean> {
    const { clock, store, archive } = this.#context;
    return areUsable(clock, store, archive);
  }

  /** Leaves a task alone for a while. Should moving its mark fail, too, its lease runs out. */
  async #putAside(taskId: string, error: unknown): Promise<void> {
    const retryAtMs = this.setAside.failed(taskId, error);
    try {
      const head = await this.#context.reader.getTask(taskId);
      if (head === undefined) return;
      const { incarnation } = head.record;
      await this.#queue.mark(taskId, "clean", retryAtMs, { incarnation });
      this.expect(retryAtMs);
    } catch {
      // What failed is told already.
    }
  }

  /**
   * Marks, a page a round, the ended tasks that rules for all tasks are about. Returns when there is
   * more to look at.
   */
  async #lookThrough(): Promise<number> {
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
    // What is left of the page when the store fails is looked at in the next round.
    for (let record = search.page.shift(); record !== undefined; record = search.page.shift()) {
      try {
        await this.#markWanted(record, nowMs, options.cleanupSearchMs);
      } catch (error) {
        if (!await this.#areUsable()) throw error;
        // This one is looked at again by the next look.
        this.#context.report(error, { operation: "cleanup", taskId: record.task.id });
      }
    }
    // Not in the same turn of the event loop, which a store in this process may never leave.
    return nowMs;
  }

  /** Marks a task if rules want it soon. */
  async #markWanted(record: TaskRecord, nowMs: number, searchMs: number): Promise<void> {
    const atMs = await this.#wantedAt(record, nowMs);
    // What is due later than the next look is marked by a later one, if it is not marked already.
    if (atMs === undefined || atMs > nowMs + 2 * searchMs) return;
    const { task: { id }, incarnation } = record;
    await this.#queue.mark(id, "clean", atMs, { incarnation });
    this.expect(atMs);
  }

  /** When an ended task is to be cleaned; what was done already does not count. */
  async #wantedAt(record: TaskRecord, nowMs: number): Promise<number | undefined> {
    const { cleanupRules, reader } = this.#context;
    const rules = rulesOf(cleanupRules, record.task);
    const due = dueRules(rules, record.task, nowMs);
    const isDeleted = due.some(({ rule }) => rule.target !== "events");
    if (isDeleted || await hasEventsFor(reader, record, due, nowMs)) return nowMs;
    return nextCleanup(rules, record.task, nowMs);
  }

  /** Carries out what is due on a task that was claimed, and marks it for what comes next. */
  async #clean(taskId: string): Promise<void> {
    const { clock, reader, cleanupRules } = this.#context;
    const head = await reader.getTask(taskId);
    if (head === undefined) return;
    const { record: { task, incarnation } } = head;
    const mark = async (atMs: number | undefined) => {
      await this.#queue.mark(taskId, "clean", atMs, { incarnation });
      if (atMs !== undefined) this.expect(atMs);
    };
    const rules = rulesOf(cleanupRules, task);
    const nowMs = clock.now();
    const due = dueRules(rules, task, nowMs);
    if (due.length > 0 && !await isReady(this.#context, head, due)) {
      await mark(nowMs + UNREADY_MS);
      return;
    }
    let renewedMs = nowMs;
    const { signal } = this.#closing;
    const report = await cleanTask(this.#context, head, due, {
      signal,
      renew: async () => {
        if (clock.now() - renewedMs < LEASE_MS / 4) return;
        renewedMs = clock.now();
        await this.#queue.mark(taskId, "clean", renewedMs + LEASE_MS, { incarnation });
      },
    });
    if (report?.action === "deleted") this.counts.tasksCleaned++;
    if (report?.action === "trimmed") this.counts.eventsTrimmed += report.events;
    if (signal.aborted) return; // Perhaps it was not finished.
    await mark(isTerminal(task.status) ? nextCleanup(rules, task, nowMs) : undefined);
  }
}
