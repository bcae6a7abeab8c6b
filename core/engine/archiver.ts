import type { ArchivePart, ArchivePosition, LongTermStore } from "../contracts/long_term_store.ts";
import { isArchived } from "../contracts/long_term_store.ts";
import type { LogMark, TaskHead, TaskRecord } from "../contracts/records.ts";
import { isTerminal } from "../protocol/task.ts";
import type { EngineContext } from "./context.ts";
import type { Round } from "./job.ts";
import { Job } from "./job.ts";

/** A task that is being archived. */
interface Item {
  head: TaskHead;
  position: ArchivePosition;
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
  #oldestAtMs?: number;
  /** How far tasks were looked through that may be from before there was an archive. */
  #search: { createdAt: number; id: string } | "done" | undefined;

  constructor(context: EngineContext, archive: LongTermStore) {
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

  /** A commit marked a task at this time. */
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
    carryOut: (taskIds: readonly string[]) => Promise<void>,
  ): Promise<Round> {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    const claim = await store.claim(work, {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: CLAIM_TASKS,
    });
    const { taskIds, oldestAtMs, nextAtMs } = claim;
    // What is given back loses its time, so while writing fails the oldest that was seen counts.
    if (work === "archive" && oldestAtMs !== undefined) {
      this.#oldestAtMs = Math.min(oldestAtMs, this.#oldestAtMs ?? Infinity);
    }
    try {
      if (taskIds.length > 0) await carryOut(taskIds);
    } catch (error) {
      await this.#giveBack(taskIds);
      throw error;
    }
    if (work === "archive") this.#oldestAtMs = undefined;
    return { again: taskIds.length === CLAIM_TASKS, nextAtMs };
  }

  /** Whoever looks next need not wait for the lease to run out. */
  async #giveBack(taskIds: readonly string[]): Promise<void> {
    const { store, clock } = this.#context;
    const againAtMs = clock.now();
    // Should this fail, too, the lease runs out.
    await Promise.allSettled(
      taskIds.map((taskId) => store.archived(taskId, NOWHERE, { againAtMs })),
    );
  }

  async #archiveAll(taskIds: readonly string[]): Promise<void> {
    let items = await this.#itemsOf(taskIds);
    while (items.length > 0) {
      const open: Item[] = [];
      for (const item of items) {
        if (item.position.deleted) await this.#finishDeletion(item.head);
        else if (isArchived(item.position, markOf(item.head))) await this.#settle(item.head);
        else open.push(item);
      }
      items = [
        ...await this.#writeSome(open.slice(0, READ_TASKS)),
        ...open.slice(READ_TASKS),
      ];
    }
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

  /** Writes a part of each task. Returns where the tasks are now. */
  async #writeSome(items: readonly Item[]): Promise<Item[]> {
    if (items.length === 0) return [];
    const { archiveBatch } = this.#context.options;
    const limit = Math.max(1, Math.floor(archiveBatch / items.length));
    const read = await Promise.all(items.map((item) => this.#read(item, limit)));
    const found = items.flatMap((item, i) => {
      const part = read[i];
      return part === undefined ? [] : [{ item, part }];
    });
    if (found.length === 0) return [];
    const positions = await this.#archive.archive(found.map(({ part }) => part));
    for (const { part } of found) this.counts.eventsArchived += part.events.length;
    return found.map(({ item: { head } }, i) => ({ head, position: positions[i]! }));
  }

  /** The next events of a task, or `undefined` if this life of it is gone. */
  async #read({ head, position }: Item, limit: number): Promise<ArchivePart | undefined> {
    const { record, length } = head;
    const after = (position.deleted ? 0 : position.length) - 1;
    if (after === length - 1) return { record, events: [] };
    const page = await this.#context.store.readLog(record.task.id, {
      after,
      through: length - 1,
      limit,
    });
    if (page === undefined || page.incarnation !== record.incarnation) return undefined;
    return { record, events: page.events };
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
    this.expect(settled ? releaseAtMs ?? Infinity : againAtMs);
  }

  /** Whoever deleted the task died between the archive and the short-term store. */
  async #finishDeletion(head: TaskHead): Promise<void> {
    await this.#context.store.deleteTask(head.record.task.id, markOf(head));
  }

  async #releaseAll(taskIds: readonly string[]): Promise<void> {
    const { store, clock } = this.#context;
    for (const { head, position } of await this.#itemsOf(taskIds)) {
      const { id } = head.record.task;
      const isProven = isTerminal(head.record.task.status) && isArchived(position, markOf(head));
      if (isProven || position.deleted) {
        if (await store.deleteTask(id, markOf(head)) && isProven) this.counts.tasksReleased++;
      } else {
        await store.archived(id, NOWHERE, { againAtMs: clock.now() });
        this.expect(clock.now());
      }
    }
  }
}

function markOf({ record, length }: { record: TaskRecord; length: number }): LogMark {
  return { incarnation: record.incarnation, version: record.version, length };
}
