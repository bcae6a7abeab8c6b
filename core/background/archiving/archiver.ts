import type {
  ArchivePart,
  ArchivePosition,
  LongTermStore,
} from "../../contracts/long_term_store.ts";
import { isArchived } from "../../contracts/long_term_store.ts";
import type { StoredEvent, TaskHead, TaskRecord } from "../../contracts/records.ts";
import { nextCleanup, rulesOf } from "../../domain/retention/cleanup.ts";
import { RELEASED_ID_MS } from "../../domain/fresh_id.ts";
import { isRefilling } from "../../domain/retention/refilling.ts";
import { isTerminal } from "../../protocol/status.ts";
import { ArchiveAhead } from "./archive_ahead.ts";
import { ArchiveFaults, CannotArchive } from "./archive_faults.ts";
import { ArchiveTaskReader, claimedOf } from "./archive_task_reader.ts";
import { ArchivePace } from "./archive_pace.ts";
import { LostTasks } from "./lost_tasks.ts";
import { Refill } from "./refill.ts";
import type { ArchiveTask, BatchPart } from "./archive_batch.ts";
import { isSamePosition, nextBatch, revisionOf } from "./archive_batch.ts";
import type { EngineContext } from "../../context/context.ts";
import type { SetAside } from "../set_aside.ts";
import { areDelivered } from "../webhooks/hook_state.ts";
import type { Round } from "../job.ts";
import { Job } from "../job.ts";

/** The archive's position in a task that it does not have as deleted. */
type KnownPosition = Exclude<ArchivePosition, { deleted: true }>;

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

/** Milliseconds until a task with undelivered webhooks is checked again. */
const UNDELIVERED_MS = 60_000;

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
  readonly #counts = { eventsArchived: 0, tasksReleased: 0 };
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #job: Job;
  readonly #pace: ArchivePace;
  readonly #faults: ArchiveFaults;
  readonly #tasks: ArchiveTaskReader;
  readonly #ahead: ArchiveAhead;
  readonly #refill: Refill;
  readonly #lost: LostTasks;
  readonly #onScheduled: (atMs: number) => void;
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
    this.#onScheduled = onScheduled;
    this.#context = context;
    this.#archive = archive;
    this.#job = new Job(context, {
      operation: "archive",
      round: () => this.#round(),
      maxRetryMs: MAX_RETRY_MS,
    });
    this.#faults = new ArchiveFaults(context, archive, (atMs) => this.#job.expect(atMs));
    const refill = this.#refill = new Refill(context, archive, {
      expect: (atMs) => this.#job.expect(atMs),
      onRefilled,
    });
    const { faults } = { faults: this.#faults };
    this.#tasks = new ArchiveTaskReader(context, archive, { faults, refill });
    this.#ahead = new ArchiveAhead(context, archive, refill);
    this.#lost = new LostTasks(context, archive, { faults, refill });
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
    return { ...this.#counts, tasksDisplaced, tasksOvertaken, tasksRefilled };
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
      tasks = [...rest, ...await this.#pace.step(() => this.#advance(batch))];
    } while (tasks.length > 0 && clock.now() < untilMs);
    const idsOf = (some: readonly ArchiveTask[]) => some.map(({ head }) => head.record.task.id);
    return {
      served: idsOf(tasks.filter(({ isServed }) => isServed)),
      unserved: idsOf(tasks.filter(({ isServed }) => !isServed)),
    };
  }

  /** Writes a part of each task, or finishes it. Returns the unfinished tasks. */
  async #advance(batch: readonly BatchPart[]): Promise<ArchiveTask[]> {
    const parts = await this.#faults.runEach(
      "archive",
      batch,
      ({ task }) => claimedOf(task.head),
      async ({ task, limit }) => ({ task, part: await this.#nextPart(task, limit) }),
    );
    const open = parts.flatMap(({ task, part }) => part === undefined ? [] : [{ task, part }]);
    const written = await this.#faults.runTogether(
      "archive",
      open,
      ({ task }) => claimedOf(task.head),
      (some) => this.#write(some.map(({ part }) => part)),
    );
    const unfinished: ArchiveTask[] = [];
    for (const { item: { task: { head, position: before }, part }, value: position } of written) {
      this.#counts.eventsArchived += part.events.length;
      if (isSamePosition(before, position)) {
        // Without progress it would be written again and again.
        const { taskId } = claimedOf(head);
        const error = new CannotArchive(taskId, "the archive takes nothing of what comes next");
        await this.#faults.setAside("archive", claimedOf(head), error);
        continue;
      }
      const sent = part.events.at(-1);
      const isCompared = !position.deleted && sent !== undefined &&
        position.length === sent.index + 1 && position.entropy === sent.entropy;
      unfinished.push({ head, position, isCompared, isServed: true });
    }
    return unfinished;
  }

  async #write(parts: readonly ArchivePart[]): Promise<ArchivePosition[]> {
    const startMs = performance.now();
    let ok = false;
    try {
      const events = parts.reduce((sum, part) => sum + part.events.length, 0);
      const positions = await this.#context.tracer.trace({
        name: "taskcast archive",
        parent: { traceparent: undefined },
        attributes: { "taskcast.tasks": parts.length, "taskcast.events": events },
      }, () => this.#archive.archive(parts));
      ok = true;
      return positions;
    } finally {
      const durationMs = performance.now() - startMs;
      this.#context.observers.notify("onArchiving", { ok, durationMs });
    }
  }

  /** Returns the next part of a task to write; `undefined` if there is nothing more to do. */
  async #nextPart(
    { head, position, isCompared = false }: ArchiveTask,
    limit: number,
  ): Promise<ArchivePart | undefined> {
    if (position.deleted) return void await this.#finishDeletion(head);
    const { record, length } = head;
    const isDone = isArchived(position, revisionOf(head));
    if (isDone && isCompared) return void await this.#confirmArchived(head);
    if (await this.#ahead.resolveAhead(head, position)) return undefined;
    const continuation = await this.#readContinuation(head, position, isDone ? 0 : limit);
    if (continuation === undefined) return undefined;
    if (isDone) return void await this.#confirmArchived(head);
    // The record must not be older than the events that are written with it.
    const events = continuation.filter(({ index }) => index < length);
    if (events.length === 0 && position.length < length) {
      throw new CannotArchive(record.task.id, "its log ends before its head says");
    }
    const { task } = record;
    const cleanAtMs = nextCleanup(rulesOf(this.#context.cleanupRules, task), task);
    if (cleanAtMs === undefined) return { record, events };
    this.#onScheduled(cleanAtMs);
    return { record, events, cleanAtMs };
  }

  /**
   * Reads the events that follow the archive's position.
   *
   * @throws {CannotArchive} If the log in the short-term store does not continue the archive's, because that
   * store was restored to an earlier state. Both then have acknowledged events that the other lacks.
   */
  async #readContinuation(
    head: TaskHead,
    position: KnownPosition,
    limit: number,
  ): Promise<readonly StoredEvent[] | undefined> {
    const { task: { id }, incarnation } = head.record;
    const { length, entropy } = position;
    const { store, options: { pageBytes: maxBytes } } = this.#context;
    // The page includes the archive's newest event, for comparison.
    const page = await store.readLog(id, {
      after: Math.max(-1, length - 2),
      limit: length === 0 ? Math.max(1, limit) : limit + 1,
      maxBytes,
    });
    if (page === undefined || page.incarnation !== incarnation) return undefined;
    if (length === 0) return page.events;
    const [newest, ...events] = page.events;
    if (page.length < length || newest?.index !== length - 1 || newest.entropy !== entropy) {
      throw new CannotArchive(
        id,
        "the archive has events that the short-term store lost; both are kept as they are",
      );
    }
    if (events.length > 0 || limit === 0) return events;
    // That event alone filled the page.
    return (await store.readLog(id, { after: length - 1, limit, maxBytes }))?.events;
  }

  async #confirmArchived({ record, length }: TaskHead): Promise<void> {
    const { store, clock, options } = this.#context;
    const { task } = record;
    const releaseAtMs = isTerminal(task.status)
      ? (task.completedAt ?? task.updatedAt) + options.hotRetentionMs
      : undefined;
    const againAtMs = clock.now() + options.archiveDelayMs;
    const settled = await store.archived(task.id, revisionOf({ record, length }), {
      againAtMs,
      releaseAtMs,
    });
    this.#faults.archive.succeeded(task.id);
    this.#job.expect(settled ? releaseAtMs ?? Infinity : againAtMs);
  }

  /** Finishes a deletion that was interrupted between the archive and the short-term store. */
  async #finishDeletion(head: TaskHead): Promise<void> {
    await this.#context.store.deleteTask(head.record.task.id, revisionOf(head));
  }

  /** Returns whether the task's webhooks, if any, have everything. */
  async #hasDeliveredAll(
    { record: { task, incarnation, hooked }, length }: TaskHead,
  ): Promise<boolean> {
    if (!hooked) return true;
    const { store, clock } = this.#context;
    const notes = await store.readNotes(task.id, incarnation);
    return notes !== undefined && areDelivered(notes, length, clock.now());
  }

  async #releaseAll(taskIds: readonly string[]): Promise<Remaining> {
    const items = await this.#tasks.read("release", taskIds);
    await this.#faults.runEach("release", items, ({ head }) => claimedOf(head), async (item) => {
      await this.#release(item);
      this.#faults.release.succeeded(item.head.record.task.id);
    });
    return NOTHING_REMAINS;
  }

  async #release({ head, position }: ArchiveTask): Promise<void> {
    const { store, clock } = this.#context;
    const { id, status } = head.record.task;
    if (position.deleted) return await this.#finishDeletion(head);
    if (!isTerminal(status) || !isArchived(position, revisionOf(head))) {
      await store.schedule(id, "archive", clock.now());
      this.#job.expect(clock.now());
      return;
    }
    if (!await this.#hasDeliveredAll(head)) {
      await store.schedule(id, "release", clock.now() + UNDELIVERED_MS, head.record);
      return;
    }
    if (await this.#readContinuation(head, position, 0) === undefined) return;
    // While the id is reserved, creating a task with it does not require asking the archive.
    const nowMs = clock.now();
    const closing = { nowMs, untilMs: nowMs + RELEASED_ID_MS };
    if (await store.deleteTask(id, revisionOf(head), closing)) this.#counts.tasksReleased++;
  }
}
