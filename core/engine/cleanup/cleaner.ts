import type { TaskHead, TaskRecord } from "../../contracts/records.ts";
import type { WorkQueue } from "../../contracts/work_queue.ts";
import { isArchived } from "../../contracts/long_term_store.ts";
import { isTerminal } from "../../protocol/task.ts";
import type { NamedRule } from "../../rules/cleanup.ts";
import { dueRules, nextCleanup, rulesOf } from "../../rules/cleanup.ts";
import type { EngineContext } from "../context.ts";
import type { Round } from "../job.ts";
import { Job } from "../job.ts";
import { areTold } from "../webhooks/hook_state.ts";
import { cleanTask, hasEventsFor } from "./clean_task.ts";
import { EndedTasks } from "./ended_tasks.ts";

/** Tasks claimed at a time, and cleaned at the same time. */
const CLAIM_TASKS = 64;
const PARALLEL_TASKS = 8;

/** A claim that is not renewed by then is somebody else's. */
const LEASE_MS = 10_000;

/** Until it is looked again at a task that is not ready. */
const UNREADY_MS = 10_000;

/** For so long webhooks that do not have everything yet keep a task from being cleaned. */
const UNTOLD_PATIENCE_MS = 86_400_000;

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
  #search?: { tasks: EndedTasks } | { nextAtMs: number };

  constructor(context: EngineContext) {
    this.#context = context;
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

  /** Stops, when what is being done is done. */
  async close(): Promise<void> {
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    const nowMs = this.#context.clock.now();
    const { taskIds, nextAtMs } = await this.#queue.claim("clean", {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: CLAIM_TASKS,
    });
    for (let at = 0; at < taskIds.length; at += PARALLEL_TASKS) {
      const some = taskIds.slice(at, at + PARALLEL_TASKS);
      await Promise.all(some.map((taskId) => this.#clean(taskId)));
    }
    const search = await this.#lookThrough();
    const times = [nextAtMs, search.nextAtMs].filter((time) => time !== undefined);
    return {
      again: taskIds.length === CLAIM_TASKS || search.again,
      nextAtMs: times.length === 0 ? undefined : Math.min(...times),
    };
  }

  /** Marks, a page a round, the ended tasks that rules for all tasks are about. */
  async #lookThrough(): Promise<Round> {
    const { cleanupRules, clock, options, archive, store } = this.#context;
    if (cleanupRules.length === 0) return { again: false };
    const nowMs = clock.now();
    if (this.#search !== undefined && "nextAtMs" in this.#search) {
      if (this.#search.nextAtMs > nowMs) return { again: false, nextAtMs: this.#search.nextAtMs };
      this.#search = undefined;
    }
    this.#search ??= { tasks: new EndedTasks(archive ?? store) };
    const page = await this.#search.tasks.next();
    for (const record of page) {
      const atMs = await this.#wantedAt(record, nowMs);
      // What is due later than the next look is marked by a later one, if it is not marked already.
      if (atMs === undefined || atMs > nowMs + 2 * options.cleanupSearchMs) continue;
      const { task: { id }, incarnation } = record;
      await this.#queue.mark(id, "clean", atMs, { incarnation });
      this.expect(atMs);
    }
    if (page.length > 0) return { again: true };
    const nextAtMs = nowMs + options.cleanupSearchMs;
    this.#search = { nextAtMs };
    return { again: false, nextAtMs };
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
    if (due.length > 0 && !await this.#isReady(head, due)) {
      await mark(nowMs + UNREADY_MS);
      return;
    }
    let renewedMs = nowMs;
    const report = await cleanTask(this.#context, head, due, {
      renew: async () => {
        if (clock.now() - renewedMs < LEASE_MS / 4) return;
        renewedMs = clock.now();
        await this.#queue.mark(taskId, "clean", renewedMs + LEASE_MS, { incarnation });
      },
    });
    if (report?.action === "deleted") this.counts.tasksCleaned++;
    if (report?.action === "trimmed") this.counts.eventsTrimmed += report.events;
    await mark(isTerminal(task.status) ? nextCleanup(rules, task, nowMs) : undefined);
  }

  /** The archive and the webhooks have everything, so nothing is still needed. */
  async #isReady({ record, length }: TaskHead, due: readonly NamedRule[]): Promise<boolean> {
    const { store, archive, clock } = this.#context;
    const { task, incarnation, version, hooked } = record;
    if (archive !== undefined) {
      const [position] = await archive.positions([{ taskId: task.id, incarnation }]);
      if (!position!.deleted && !isArchived(position!, { version, length })) return false;
    }
    if (!hooked) return true;
    const notes = await store.readNotes(task.id, incarnation);
    const nowMs = clock.now();
    // Whoever stopped sending webhooks must not keep everything for ever.
    const isLate = dueRules(due, task, nowMs - UNTOLD_PATIENCE_MS).length > 0;
    return notes === undefined || isLate || areTold(notes, length, nowMs, 0);
  }
}
