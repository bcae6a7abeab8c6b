import type { ArchivePart, ArchivePosition, LongTermStore } from "../contracts/long_term_store.ts";
import { isArchived } from "../contracts/long_term_store.ts";
import type { LogMark, StoredEvent, TaskHead, TaskRecord } from "../contracts/records.ts";
import { nextCleanup, rulesOf } from "../rules/cleanup.ts";
import { isTerminal } from "../protocol/task.ts";
import { ArchivePace } from "./archive_pace.ts";
import type { EngineContext } from "./context.ts";
import { areTold } from "./webhooks/hook_state.ts";
import type { Round } from "./job.ts";
import { Job } from "./job.ts";

/** What the archive has of a life that it knows of as not deleted. */
type KnownPosition = Exclude<ArchivePosition, { deleted: true }>;

/** A task that is being archived. */
interface Item {
  head: TaskHead;
  position: ArchivePosition;
  /** The archive's newest event is known to be that of the short-term store. */
  isCompared?: boolean;
  /** Some of it was written since it was claimed. */
  isServed?: boolean;
}

/** Claimed tasks for which the time did not suffice. */
interface Left {
  served: readonly string[];
  unserved: readonly string[];
}

const NOTHING_LEFT: Left = { served: [], unserved: [] };

/** What a task has of one write. */
interface Share {
  item: Item;
  /** Events at most. */
  limit: number;
}

/** Tasks claimed at a time, and read at a time. */
const CLAIM_TASKS = 64;
const READ_TASKS = 16;

/** Tasks looked at in one round for some that nobody marked. */
const SEARCH_TASKS = 200;

/** A claim that is not settled by then is somebody else's. */
const LEASE_MS = 10_000;

/** Between looks while the archive cannot be reached. */
const MAX_RETRY_MS = 5_000;

/** Until it is looked again whether the webhooks of a task have everything. */
const UNTOLD_MS = 60_000;

/**
 * How long a claim is worked on before what is left of it is given back, so that it is never somebody
 * else's meanwhile, however far behind the archive is and however long it rests.
 */
const TURN_MS = LEASE_MS / 2;

/** A mark that no task is at: says that it went on. */
const NOWHERE: LogMark = { incarnation: "", version: 0, length: 0 };

/**
 * Writes tasks behind the short-term store into the archive, and gives up the hot copies of those
 * that ended long enough ago.
 *
 * Each commit marks its task; what the archive has is asked of the archive itself. So an instance
 * may die at any moment: another claims the task, asks, and goes on there. The backlog is in the
 * short-term store, so it costs no memory here, and nothing leaves that store before the archive
 * has all of it.
 */
export class Archiver {
  /** What was done, and how far behind the archive is. */
  readonly counts = { eventsArchived: 0, tasksReleased: 0 };
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #job: Job;
  readonly #pace: ArchivePace;
  readonly #onMarked: (atMs: number) => void;
  #oldestAtMs?: number;
  /** How far tasks were looked through that may be from before there was an archive. */
  #search: { createdAt: number; id: string } | "done" | undefined;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    /** Told when the archive was given a time for clean-up. */
    onMarked: (atMs: number) => void = () => {},
  ) {
    this.#pace = new ArchivePace(context.clock, context.options.archivePercent);
    this.#onMarked = onMarked;
    this.#context = context;
    this.#archive = archive;
    this.#job = new Job(context, {
      operation: "archive",
      round: () => this.#round(),
      maxRetryMs: MAX_RETRY_MS,
    });
  }

  /** Milliseconds by which the oldest work that was found is late. */
  get lagMs(): number {
    return this.#oldestAtMs === undefined
      ? 0
      : Math.max(0, this.#context.clock.now() - this.#oldestAtMs);
  }

  /** Looks for what others left, and then as needed. */
  start(): void {
    void this.#job.run();
  }

  /** A commit of this engine marked a task at this time. */
  expect(atMs: number): void {
    this.#pace.published();
    this.#job.expect(atMs);
  }

  /** Does what is due now. Resolves when it is done, or when it failed and will be tried again. */
  async run(): Promise<void> {
    await this.#job.run();
  }

  /** Stops, when what is being done is done. */
  async close(): Promise<void> {
    this.#pace.close();
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    const archiving = await this.#claimed("archive", (taskIds) => this.#archiveAll(taskIds));
    const releasing = await this.#claimed("release", (taskIds) => this.#releaseAll(taskIds));
    const times = [archiving, releasing].flatMap(({ nextAtMs = [] }) => nextAtMs);
    const isSearching = await this.#markUnknown();
    return {
      again: archiving.again || releasing.again || isSearching,
      nextAtMs: times.length === 0 ? undefined : Math.min(...times),
    };
  }

  /**
   * Marks tasks that were there before there was an archive: looks through all of them once after
   * the start, a page a round. Returns whether there is more.
   */
  async #markUnknown(): Promise<boolean> {
    if (this.#search === "done") return false;
    const { store, clock } = this.#context;
    const { tasks, more } = await store.listTasks({ limit: SEARCH_TASKS, after: this.#search });
    const positions = tasks.length === 0 ? [] : await this.#archive.positions(
      tasks.map(({ task, incarnation }) => ({ taskId: task.id, incarnation })),
    );
    const unknown = tasks.filter((_, i) => !positions[i]!.deleted && positions[i]!.version === 0);
    const againAtMs = clock.now();
    await Promise.all(
      unknown.map(({ task }) => store.archived(task.id, NOWHERE, { againAtMs })),
    );
    const last = tasks.at(-1)?.task;
    this.#search = more && last ? { createdAt: last.createdAt, id: last.id } : "done";
    return more || unknown.length > 0;
  }

  async #claimed(
    work: "archive" | "release",
    carryOut: (taskIds: readonly string[]) => Promise<Left>,
  ): Promise<Round> {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const claim = await store.claim(work, {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: CLAIM_TASKS,
    });
    const { taskIds, oldestAtMs, nextAtMs } = claim;
    // What is given back loses its time, so until all of a claim is done the oldest seen counts.
    if (work === "archive" && oldestAtMs !== undefined) {
      this.#oldestAtMs = Math.min(oldestAtMs, this.#oldestAtMs ?? Infinity);
    }
    let left = NOTHING_LEFT;
    try {
      if (taskIds.length > 0) left = await carryOut(taskIds);
    } catch (error) {
      await this.#giveBack(taskIds, clock.now());
      throw error;
    }
    const { served, unserved } = left;
    const isLeft = served.length + unserved.length > 0;
    if (isLeft) {
      // Who had nothing comes first, who had something behind all that wait by now: more may come
      // than is written, and then others would never have their turn.
      await this.#giveBack(unserved, oldestAtMs ?? nowMs);
      await this.#giveBack(served, clock.now());
    } else if (work === "archive") {
      this.#oldestAtMs = undefined;
    }
    return { again: isLeft || taskIds.length === CLAIM_TASKS, nextAtMs };
  }

  /** Whoever looks next need not wait for the lease to run out. */
  async #giveBack(taskIds: readonly string[], againAtMs: number): Promise<void> {
    const { store } = this.#context;
    // Should this fail, too, the lease runs out.
    await Promise.allSettled(
      taskIds.map((taskId) => store.archived(taskId, NOWHERE, { againAtMs })),
    );
  }

  /** Returns those that are left when the time is over. */
  async #archiveAll(taskIds: readonly string[]): Promise<Left> {
    const { clock, options } = this.#context;
    const untilMs = clock.now() + TURN_MS;
    let items = await this.#itemsOf(taskIds);
    do {
      const { shares, rest } = shareOut(items, options.archiveBatch);
      items = [...rest, ...await this.#pace.step(() => this.#advance(shares))];
    } while (items.length > 0 && clock.now() < untilMs);
    const idsOf = (some: readonly Item[]) => some.map(({ head }) => head.record.task.id);
    return {
      served: idsOf(items.filter(({ isServed }) => isServed)),
      unserved: idsOf(items.filter(({ isServed }) => !isServed)),
    };
  }

  async #itemsOf(taskIds: readonly string[]): Promise<Item[]> {
    const { store } = this.#context;
    const heads = (await Promise.all(taskIds.map((taskId) => store.getTask(taskId))))
      .filter((head) => head !== undefined);
    const positions = await this.#archive.positions(heads.map(({ record }) => ({
      taskId: record.task.id,
      incarnation: record.incarnation,
    })));
    return heads.map((head, i) => ({ head, position: positions[i]! }));
  }

  /** Writes a part of each task, or finishes it. Returns those that are not finished. */
  async #advance(shares: readonly Share[]): Promise<Item[]> {
    const parts = await Promise.all(shares.map(({ item, limit }) => this.#nextPart(item, limit)));
    const open = shares.flatMap(({ item: { head, position: before } }, i) => {
      const part = parts[i];
      return part === undefined ? [] : [{ head, before, part }];
    });
    if (open.length === 0) return [];
    const positions = await this.#write(open.map(({ part }) => part));
    for (const { part } of open) this.counts.eventsArchived += part.events.length;
    return open.flatMap(({ head, before, part }, i) => {
      const position = positions[i]!;
      if (isSame(before, position)) {
        // Until the claim runs out, or it would be written again and again.
        return this.#reportBroken(head, "the archive takes nothing of what comes next") ?? [];
      }
      const sent = part.events.at(-1);
      const isCompared = !position.deleted && sent !== undefined &&
        position.length === sent.index + 1 && position.entropy === sent.entropy;
      return [{ head, position, isCompared, isServed: true }];
    });
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
      this.#context.observers.tell("onArchiving", { ok, durationMs });
    }
  }

  /** What the archive is to get next of a task; `undefined` when there is nothing more to do. */
  async #nextPart(
    { head, position, isCompared = false }: Item,
    limit: number,
  ): Promise<ArchivePart | undefined> {
    if (position.deleted) return void await this.#finishDeletion(head);
    const { record, length } = head;
    const isDone = isArchived(position, markOf(head));
    if (isDone && isCompared) return void await this.#settle(head);
    const continuation = await this.#readOn(head, position, isDone ? 0 : limit);
    if (continuation === undefined) return undefined;
    if (isDone) return void await this.#settle(head);
    // The record must not be older than the events that go with it.
    const events = continuation.filter(({ index }) => index < length);
    if (events.length === 0 && position.length < length) {
      return void this.#reportBroken(head, "its log ends before its head says");
    }
    const { task } = record;
    const cleanAtMs = nextCleanup(rulesOf(this.#context.cleanupRules, task), task);
    if (cleanAtMs === undefined) return { record, events };
    this.#onMarked(cleanAtMs);
    return { record, events, cleanAtMs };
  }

  /**
   * Reads the events that come after what the archive has, if the log in the short-term store is the
   * continuation of it. Should that store have been brought back as it was earlier, it is not: the
   * two then differ in what was acknowledged, and neither may be taken for the other.
   */
  async #readOn(
    head: TaskHead,
    position: KnownPosition,
    limit: number,
  ): Promise<readonly StoredEvent[] | undefined> {
    const { task: { id }, incarnation } = head.record;
    const { length, entropy } = position;
    const { store, options: { pageBytes: maxBytes } } = this.#context;
    // With the newest event that the archive has, to compare.
    const page = await store.readLog(id, {
      after: Math.max(-1, length - 2),
      limit: length === 0 ? Math.max(1, limit) : limit + 1,
      maxBytes,
    });
    if (page === undefined || page.incarnation !== incarnation) return undefined;
    if (length === 0) return page.events;
    const [newest, ...events] = page.events;
    if (page.length < length || newest?.index !== length - 1 || newest.entropy !== entropy) {
      return void this.#reportBroken(
        head,
        "the archive has events that the short-term store lost; both are kept as they are",
      );
    }
    if (events.length > 0 || limit === 0) return events;
    // That one was as large as a page.
    return (await store.readLog(id, { after: length - 1, limit, maxBytes }))?.events;
  }

  #reportBroken({ record: { task } }: TaskHead, why: string): void {
    this.#context.report(new Error(`Cannot archive the task "${task.id}": ${why}`), {
      operation: "archive",
      taskId: task.id,
    });
  }

  async #settle({ record, length }: TaskHead): Promise<void> {
    const { store, clock, options } = this.#context;
    const { task } = record;
    const releaseAtMs = isTerminal(task.status)
      ? (task.completedAt ?? task.updatedAt) + options.hotRetentionMs
      : undefined;
    const againAtMs = clock.now() + options.archiveDelayMs;
    const settled = await store.archived(task.id, markOf({ record, length }), {
      againAtMs,
      releaseAtMs,
    });
    this.#job.expect(settled ? releaseAtMs ?? Infinity : againAtMs);
  }

  /** Whoever deleted the task died between the archive and the short-term store. */
  async #finishDeletion(head: TaskHead): Promise<void> {
    await this.#context.store.deleteTask(head.record.task.id, markOf(head));
  }

  /** Its webhooks, if it has some, have everything. */
  async #isTold({ record: { task, incarnation, hooked }, length }: TaskHead): Promise<boolean> {
    if (!hooked) return true;
    const { store, clock } = this.#context;
    const notes = await store.readNotes(task.id, incarnation);
    return notes !== undefined && areTold(notes, length, clock.now());
  }

  async #releaseAll(taskIds: readonly string[]): Promise<Left> {
    const { store, clock } = this.#context;
    for (const { head, position } of await this.#itemsOf(taskIds)) {
      const { id, status } = head.record.task;
      if (position.deleted) {
        await this.#finishDeletion(head);
      } else if (isTerminal(status) && isArchived(position, markOf(head))) {
        if (!await this.#isTold(head)) {
          await store.mark(id, "release", clock.now() + UNTOLD_MS, head.record);
          continue;
        }
        if (await this.#readOn(head, position, 0) === undefined) continue;
        if (await store.deleteTask(id, markOf(head))) this.counts.tasksReleased++;
      } else {
        await store.archived(id, NOWHERE, { againAtMs: clock.now() });
        this.#job.expect(clock.now());
      }
    }
    return NOTHING_LEFT;
  }
}

/**
 * Who is in the next write: the first tasks that fill it together, and those that have everything and
 * want only to be settled. Few tasks with many events each, since to read a task and to look it up in
 * the archive costs as much as some dozens of events.
 */
function shareOut(
  items: readonly Item[],
  archiveBatch: number,
): { shares: Share[]; rest: Item[] } {
  const shares: Share[] = [];
  const rest: Item[] = [];
  let left = archiveBatch;
  for (const item of items) {
    const { head, position } = item;
    const missing = position.deleted ? 0 : Math.max(0, head.length - position.length);
    if (missing > 0 && left <= 0 || shares.length === READ_TASKS) {
      rest.push(item);
      continue;
    }
    shares.push({ item, limit: Math.max(1, Math.min(missing, left)) });
    left -= missing;
  }
  return { shares, rest };
}

function isSame(before: ArchivePosition, after: ArchivePosition): boolean {
  if (before.deleted || after.deleted) return false;
  return before.length === after.length && before.version === after.version;
}

function markOf({ record, length }: { record: TaskRecord; length: number }): LogMark {
  return { incarnation: record.incarnation, version: record.version, length };
}
