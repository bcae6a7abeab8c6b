import type { LongTermStore } from "../../contracts/long_term_store.ts";
import type { TaskRecord } from "../../contracts/records.ts";
import type { EngineContext } from "../../context/context.ts";
import { isRefilling } from "../../domain/retention/refilling.ts";
import type { Round } from "../job.ts";
import { Job } from "../job.ts";
import type { SetAside } from "../set_aside.ts";
import { ArchiveAhead } from "./archive_ahead.ts";
import type { ArchiveTask } from "./archive_batch.ts";
import { nextBatch } from "./archive_batch.ts";
import { ArchiveFaults } from "./archive_faults.ts";
import { ArchivePace } from "./archive_pace.ts";
import { ArchiveTaskReader, claimedOf } from "./archive_task_reader.ts";
import { ArchiveWriter } from "./archive_writer.ts";
import { LostTasks } from "./lost_tasks.ts";
import { Refill } from "./refill.ts";
import { Releaser } from "./releaser.ts";

/** Claimed tasks for which there was not enough time. */
interface Remaining {
  served: readonly string[];
  unserved: readonly string[];
}

const NOTHING_REMAINS: Remaining = { served: [], unserved: [] };

/** Tasks claimed at a time. */
const CLAIM_TASKS = 64;

/** Tasks checked in one round for unscheduled ones. */
const SEARCH_TASKS = 200;

/** Milliseconds after which an unfinished claim passes to another instance. */
const LEASE_MS = 10_000;

/** Maximum milliseconds between attempts while the archive cannot be reached. */
const MAX_RETRY_MS = 5_000;

/**
 * Milliseconds after which the rest of a claim is released, so that it cannot expire during the work,
 * however far behind the archive is and however long its pauses are.
 */
const TURN_MS = LEASE_MS / 2;

/**
 * Copies tasks from the short-term store to the archive, and releases the hot copies of tasks that ended
 * long enough ago.
 *
 * Each commit schedules its task, and the archive itself knows how much of a task it has. An instance may
 * therefore die at any moment: another one claims the task, asks the archive, and continues there. The
 * backlog is in the short-term store, so it costs no memory here, and nothing leaves that store before the
 * archive has all of it.
 */
export class Archiver {
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #job: Job;
  readonly #pace: ArchivePace;
  readonly #faults: ArchiveFaults;
  readonly #tasks: ArchiveTaskReader;
  readonly #ahead: ArchiveAhead;
  readonly #refill: Refill;
  readonly #lost: LostTasks;
  readonly #writer: ArchiveWriter;
  readonly #releaser: Releaser;
  #oldestAtMs?: number;
  /** The position of the search for tasks that may be older than the archive. */
  #search: { createdAt: number; id: string } | "done" | undefined;
  /** The short-term store's count of interruptions when the last round began. */
  #interruptions?: number;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    { onScheduled = () => {}, onRefilled = () => {} }: {
      /** Called when a task is scheduled for clean-up in the archive. */
      onScheduled?: (atMs: number) => void;
      /** Called when a live task has been restored to the short-term store. */
      onRefilled?: (record: TaskRecord) => void;
    } = {},
  ) {
    this.#pace = new ArchivePace(context.clock, context.options.archivePercent);
    this.#context = context;
    this.#archive = archive;
    this.#job = new Job(context, {
      operation: "archive",
      round: () => this.#round(),
      maxRetryMs: MAX_RETRY_MS,
    });
    const expect = (atMs: number) => this.#job.expect(atMs);
    const faults = this.#faults = new ArchiveFaults(context, archive, expect);
    const refill = this.#refill = new Refill(context, archive, { expect, onRefilled });
    const ahead = this.#ahead = new ArchiveAhead(context, archive, refill);
    this.#tasks = new ArchiveTaskReader(context, archive, { faults, refill });
    this.#lost = new LostTasks(context, archive, { faults, refill });
    this.#writer = new ArchiveWriter(context, archive, { faults, ahead, onScheduled, expect });
    this.#releaser = new Releaser(context, this.#writer, expect);
  }

  /** Counters of the work done. */
  get counts(): {
    eventsArchived: number;
    tasksReleased: number;
    tasksDisplaced: number;
    tasksOvertaken: number;
    tasksRefilled: number;
  } {
    const { tasksDisplaced } = this.#tasks;
    const { tasksOvertaken } = this.#ahead;
    const { tasksRefilled } = this.#refill;
    const { eventsArchived } = this.#writer;
    const { tasksReleased } = this.#releaser;
    return { eventsArchived, tasksReleased, tasksDisplaced, tasksOvertaken, tasksRefilled };
  }

  /** Tasks that cannot be archived or released while others can. */
  get setAside(): { archive: SetAside; release: SetAside } {
    return this.#faults;
  }

  /** Milliseconds by which the oldest known work is late. */
  get lagMs(): number {
    return this.#oldestAtMs === undefined
      ? 0
      : Math.max(0, this.#context.clock.now() - this.#oldestAtMs);
  }

  /** Starts with work that other instances left, and then runs as needed. */
  start(): void {
    void this.#job.run();
  }

  /** Schedules a round at the time for which a commit of this engine scheduled a task. */
  expect(atMs: number): void {
    this.#pace.notePublish();
    this.#job.expect(atMs);
  }

  /** Restores a live task that only the archive has, because a caller wants to write to it. */
  restoreLost(taskId: string): void {
    this.#lost.report(taskId);
    this.#job.expect(this.#context.clock.now());
  }

  /** Does what is due now. Resolves when it is done, or has failed and will be retried. */
  async run(): Promise<void> {
    await this.#job.run();
  }

  /** Stops. Resolves once the round in progress has ended. */
  async close(): Promise<void> {
    this.#pace.close();
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    try {
      return await this.#runRound();
    } catch (error) {
      this.#restartSearch();
      throw error;
    }
  }

  /** Compares all tasks again, because a store that was unreachable may have been restored. */
  #restartSearch(): void {
    this.#search = undefined;
    this.#lost.restart();
  }

  async #runRound(): Promise<Round> {
    const { interruptions } = this.#context.store;
    if (interruptions !== this.#interruptions) this.#restartSearch();
    this.#interruptions = interruptions;
    const archiving = await this.#claimed("archive", (taskIds) => this.#archiveAll(taskIds));
    const releasing = await this.#claimed("release", (taskIds) => this.#releaseAll(taskIds));
    const isSearching = await this.#scheduleUnknown();
    const lost = await this.#lost.restoreSome();
    const times = [archiving, releasing, lost].flatMap(({ nextAtMs = [] }) => nextAtMs);
    return {
      again: archiving.again || releasing.again || isSearching || lost.more,
      nextAtMs: times.length === 0 ? undefined : Math.min(...times),
    };
  }

  /**
   * Schedules tasks that are older than the archive, and tasks of which one of the stores has a newer version.
   * Searches all tasks at the start and after a store was unreachable, one page a round.
   *
   * @returns Whether there is more.
   */
  async #scheduleUnknown(): Promise<boolean> {
    if (this.#search === "done") return false;
    const { store, clock } = this.#context;
    const { tasks, more } = await store.listTasks({ limit: SEARCH_TASKS, after: this.#search });
    const found = await this.#faults.runTogether(
      "archive",
      tasks.filter(({ incarnation }) => !isRefilling(incarnation)),
      ({ task, incarnation }) => ({ taskId: task.id, incarnation }),
      (some) =>
        this.#archive.positions(
          some.map(({ task, incarnation }) => ({ taskId: task.id, incarnation })),
        ),
    );
    const unknown = found.filter(({ item, value }) =>
      !value.deleted && value.version !== item.version
    );
    const nowMs = clock.now();
    await Promise.all(
      unknown.map(({ item: { task } }) => store.schedule(task.id, "archive", nowMs)),
    );
    const last = tasks.at(-1)?.task;
    this.#search = more && last ? { createdAt: last.createdAt, id: last.id } : "done";
    return more || unknown.length > 0;
  }

  async #claimed(
    work: "archive" | "release",
    run: (taskIds: readonly string[]) => Promise<Remaining>,
  ): Promise<Round> {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const claim = await store.claim(work, {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: CLAIM_TASKS,
    });
    const { oldestAtMs, nextAtMs } = claim;
    const setAside = this.#faults[work];
    const taskIds = claim.taskIds.filter((taskId) => !setAside.isWaiting(taskId));
    // A released claim loses its time, so the oldest time seen counts until a whole claim is done.
    if (work === "archive" && oldestAtMs !== undefined) {
      this.#oldestAtMs = Math.min(oldestAtMs, this.#oldestAtMs ?? Infinity);
    }
    let remaining = NOTHING_REMAINS;
    try {
      if (taskIds.length > 0) remaining = await run(taskIds);
    } catch (error) {
      await this.#releaseClaims(taskIds, clock.now());
      throw error;
    }
    const { served, unserved } = remaining;
    const isUnfinished = served.length + unserved.length > 0;
    if (isUnfinished) {
      // Tasks that were not served come first, and the others behind all that wait by now. Otherwise a
      // task that grows faster than it is written would starve the others.
      await this.#releaseClaims(unserved, oldestAtMs ?? nowMs);
      await this.#releaseClaims(served, clock.now());
    } else if (work === "archive") {
      this.#oldestAtMs = undefined;
    }
    return { again: isUnfinished || claim.taskIds.length === CLAIM_TASKS, nextAtMs };
  }

  /** Releases claims, so that the next round does not have to wait for the leases to expire. */
  async #releaseClaims(taskIds: readonly string[], atMs: number): Promise<void> {
    const { store } = this.#context;
    // If this fails too, the leases expire.
    await Promise.allSettled(
      taskIds.map((taskId) => store.schedule(taskId, "archive", atMs)),
    );
  }

  /** Archives tasks until the time for one claim is over. Returns the unfinished tasks. */
  async #archiveAll(taskIds: readonly string[]): Promise<Remaining> {
    const { clock, options } = this.#context;
    const untilMs = clock.now() + TURN_MS;
    let tasks = await this.#tasks.read("archive", taskIds);
    do {
      const { batch, rest } = nextBatch(tasks, options.archiveBatch);
      tasks = [...rest, ...await this.#pace.step(() => this.#writer.advance(batch))];
    } while (tasks.length > 0 && clock.now() < untilMs);
    const idsOf = (some: readonly ArchiveTask[]) => some.map(({ head }) => head.record.task.id);
    return {
      served: idsOf(tasks.filter(({ isServed }) => isServed)),
      unserved: idsOf(tasks.filter(({ isServed }) => !isServed)),
    };
  }

  async #releaseAll(taskIds: readonly string[]): Promise<Remaining> {
    const items = await this.#tasks.read("release", taskIds);
    await this.#faults.runEach("release", items, ({ head }) => claimedOf(head), async (item) => {
      await this.#releaser.release(item);
      this.#faults.release.succeeded(item.head.record.task.id);
    });
    return NOTHING_REMAINS;
  }
}
