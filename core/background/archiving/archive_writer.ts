import type {
  ArchivePart,
  ArchivePosition,
  LongTermStore,
} from "../../contracts/long_term_store.ts";
import { isArchived } from "../../contracts/long_term_store.ts";
import type { StoredEvent, TaskHead } from "../../contracts/records.ts";
import type { EngineContext } from "../../context/context.ts";
import { nextCleanup, rulesOf } from "../../domain/retention/cleanup.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { ArchiveAhead } from "./archive_ahead.ts";
import type { ArchiveTask, BatchPart } from "./archive_batch.ts";
import { isSamePosition, revisionOf } from "./archive_batch.ts";
import type { ArchiveFaults } from "./archive_faults.ts";
import { CannotArchive } from "./archive_faults.ts";
import { claimedOf } from "./archive_task_reader.ts";

/** The archive's position in a task that it does not have as deleted. */
export type KnownPosition = Exclude<ArchivePosition, { deleted: true }>;

/**
 * Writes claimed tasks to the archive, a part of each at a time, from where the archive is. Repeated and late
 * writes are harmless, so nothing is remembered between two parts.
 */
export class ArchiveWriter {
  /** Number of events written. */
  eventsArchived = 0;
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #faults: ArchiveFaults;
  readonly #ahead: ArchiveAhead;
  readonly #onScheduled: (atMs: number) => void;
  readonly #expect: (atMs: number) => void;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    { faults, ahead, onScheduled, expect }: {
      faults: ArchiveFaults;
      ahead: ArchiveAhead;
      /** Called when a task is scheduled for clean-up in the archive. */
      onScheduled: (atMs: number) => void;
      /** Schedules a round of the archiver. */
      expect: (atMs: number) => void;
    },
  ) {
    this.#context = context;
    this.#archive = archive;
    this.#faults = faults;
    this.#ahead = ahead;
    this.#onScheduled = onScheduled;
    this.#expect = expect;
  }

  /** Writes a part of each task, or finishes it. Returns the unfinished tasks. */
  async advance(batch: readonly BatchPart[]): Promise<ArchiveTask[]> {
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
      this.eventsArchived += part.events.length;
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
    if (position.deleted) return void await this.finishDeletion(head);
    const { record, length } = head;
    const isDone = isArchived(position, revisionOf(head));
    if (isDone && isCompared) return void await this.#confirmArchived(head);
    if (await this.#ahead.resolveAhead(head, position)) return undefined;
    const continuation = await this.readContinuation(head, position, isDone ? 0 : limit);
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
  async readContinuation(
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
    const isUnchanged = await store.archived(task.id, revisionOf({ record, length }), {
      againAtMs,
      releaseAtMs,
    });
    this.#faults.archive.succeeded(task.id);
    this.#expect(isUnchanged ? releaseAtMs ?? Infinity : againAtMs);
  }

  /** Finishes a deletion that was interrupted between the archive and the short-term store. */
  async finishDeletion(head: TaskHead): Promise<void> {
    await this.#context.store.deleteTask(head.record.task.id, revisionOf(head));
  }
}
