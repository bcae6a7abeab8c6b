import type { EventFilter } from "@taskcast/core/protocol";
import type {
  BroadcastProvider,
  ClaimedWork,
  Commit,
  CommitResult,
  DueWork,
  FoldPage,
  FoldQuery,
  Leases,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  NoteChange,
  RevisionExpectation,
  ScheduledTask,
  ShortTermStore,
  Signal,
  StoredEvent,
  TaskHead,
  TaskRevision,
  Tombstone,
  Trim,
  Work,
} from "@taskcast/core/adapter";
import { isDiverged } from "@taskcast/core/adapter";
import { isTerminal } from "@taskcast/core/protocol";
import { retryUntilUnchanged } from "./connection/attempts.ts";
import { readText } from "./rows/blobs.ts";
import { resultOf } from "./commit.ts";
import { CommitWork } from "./commit_work.ts";
import { countEvents } from "./readers/count_reader.ts";
import type { Database } from "./connection/database.ts";
import { getAll } from "./connection/database.ts";
import { ChangedMeanwhile } from "./errors.ts";
import type { Janitor } from "./janitor.ts";
import { listTasks } from "./readers/list_reader.ts";
import { entropyAt, readEvents } from "./readers/log_reader.ts";
import { readNotes, writeNote } from "./rows/notes.ts";
import { TaskQueue } from "./task_queue.ts";
import { trimInSteps, TrimWork } from "./trim.ts";
import type { EventValue, Head, Text } from "./rows/values.ts";
import { toStoredEvent } from "./rows/values.ts";
import { readFolds } from "./readers/fold_reader.ts";
import { claimScheduled, readDue, readScheduled } from "./readers/work_reader.ts";
import {
  archiving,
  claiming,
  deleting,
  FINISH_PENDING,
  renewing,
  scheduling,
} from "./rows/task_changes.ts";

/** Tasks and logs in Deno KV. */
export class DenoKvShortTermStore implements ShortTermStore {
  readonly durable: boolean;
  readonly leases: Leases = {
    renew: (renewals) =>
      Promise.all(
        renewals.map((renewal) =>
          this.#queue.run(renewal.taskId, renewing(this.#database.keys, renewal))
        ),
      ),
  };
  readonly announcesOn?: BroadcastProvider;
  readonly #database: Database;
  readonly #queue: TaskQueue;
  readonly #janitor: Janitor;
  readonly #tell: ((signal: Signal) => void) | undefined;
  readonly #onClose: () => void;
  /** Serializes claims of this process, which would otherwise all find the same tasks. */
  #claims: Promise<unknown> = Promise.resolve();

  constructor(
    { database, durable, maxPending, janitor, wakes, tell, onClose }: {
      database: Database;
      durable: boolean;
      maxPending: number;
      janitor: Janitor;
      wakes?: BroadcastProvider;
      /** Notifies listeners of this process. */
      tell?: (signal: Signal) => void;
      onClose: () => void;
    },
  ) {
    this.#database = database;
    this.durable = durable;
    this.#queue = new TaskQueue(database, { maxPending });
    this.#janitor = janitor;
    if (wakes !== undefined) this.announcesOn = wakes;
    this.#tell = tell;
    this.#onClose = onClose;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { taskId } = commit;
    const wakes = this.#tell !== undefined;
    const plan = await this.#queue.run(taskId, new CommitWork(this.#database, commit, { wakes }));
    if (!plan.ok) return plan;
    const { from, length } = plan;
    if (from < length) {
      const signal: Signal = { taskId, from, length };
      if (commit.record !== undefined && isTerminal(commit.record.task.status)) signal.ended = true;
      this.#tell?.(signal);
    }
    const indexes = plan.events.filter((event) => typeof event === "number" && event < from);
    if (indexes.length === 0) return resultOf(plan, missing);
    return await this.#withRepeated(
      taskId,
      indexes as number[],
      (repeated) => resultOf(plan, repeated),
    );
  }

  async deleteTask(
    taskId: string,
    at?: RevisionExpectation,
    closing?: Tombstone,
  ): Promise<boolean> {
    const isDone = await this.#queue.run(taskId, deleting(this.#database, at, closing));
    if (isDone) this.#janitor.collectNow();
    return isDone;
  }

  async trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number> {
    const count = await trimInSteps(
      trim,
      (step) => this.#queue.run(taskId, new TrimWork(this.#database, incarnation, step)),
    );
    this.#janitor.collectNow();
    return count;
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    return await retryUntilUnchanged(async () => {
      const { kv, keys } = this.#database;
      const [head, record] = await kv.getMany([keys.head(taskId), keys.record(taskId)]);
      if (head!.value === null) return undefined;
      const { life: storageId, length, trimmedThrough, wide } = head!.value as Head;
      if (wide !== undefined) {
        await this.#queue.run(taskId, FINISH_PENDING);
        throw new ChangedMeanwhile();
      }
      const text = await readText(this.#database, storageId, record!.value as Text);
      const found: TaskHead = { record: JSON.parse(text), length };
      if (trimmedThrough !== undefined) found.trimmedThrough = trimmedThrough;
      const entropy = at === undefined
        ? undefined
        : await entropyAt(this.#database, head!.value as Head, at);
      if (entropy !== undefined) found.entropy = entropy;
      return found;
    });
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    return await retryUntilUnchanged(() => listTasks(this.#database, query));
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return await this.#read(taskId, async (head) => {
      const { length, incarnation, status } = head;
      const state = { length, incarnation, status };
      const { after, afterEntropy } = query;
      const [found, before] = await Promise.all([
        readEvents(this.#database, head, query),
        afterEntropy === undefined ? undefined : entropyAt(this.#database, head, after),
      ]);
      const { events, scannedTo, entropy, isWhole } = found;
      if (isDiverged(query, length, before)) {
        return { events: [], scannedTo: after, ...state, diverged: true };
      }
      if (!isWhole) await this.#assertAlive(head);
      const page: LogPage = { events, scannedTo, ...state };
      if (entropy !== undefined) page.entropy = entropy;
      return page;
    });
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return await this.#read(taskId, async (head) => {
      const { incarnation } = head;
      const page: FoldPage = { ...await readFolds(this.#database, head, query), incarnation };
      const entropy = await entropyAt(this.#database, head, page.length - 1);
      if (entropy !== undefined) page.entropy = entropy;
      return page;
    });
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return await this.#read(taskId, async (head) => {
      if (incarnation !== undefined && head.incarnation !== incarnation) return undefined;
      const counts = await countEvents(this.#database, head, filter, indexes);
      await this.#assertAlive(head);
      return counts;
    });
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    this.#janitor.collectSometimes();
    return await retryUntilUnchanged(() => readDue(this.#database, nowMs, limit));
  }

  async claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    const { keys } = this.#database;
    const claim = this.#claims.then(() =>
      retryUntilUnchanged(() =>
        claimScheduled(
          this.#database,
          work,
          { nowMs, limit },
          ({ taskId, atMs }) => this.#queue.run(taskId, claiming(keys, { work, atMs, untilMs })),
        )
      )
    );
    this.#claims = claim.catch(() => {});
    return await claim;
  }

  async schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean> {
    return await this.#queue.run(taskId, scheduling(this.#database.keys, { work, atMs, expected }));
  }

  async scheduled(
    work: Work,
    options: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]> {
    return await retryUntilUnchanged(() => readScheduled(this.#database, work, options));
  }

  async archived(
    taskId: string,
    at: TaskRevision,
    then: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    return await this.#queue.run(taskId, archiving(this.#database.keys, at, then));
  }

  async readNotes(
    taskId: string,
    incarnation: string,
  ): Promise<Record<string, string> | undefined> {
    return await retryUntilUnchanged(() => readNotes(this.#database, taskId, incarnation));
  }

  async writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    change: NoteChange,
  ): Promise<boolean> {
    const note = { taskId, incarnation, name };
    return await retryUntilUnchanged(() => writeNote(this.#database, note, change));
  }

  async check(): Promise<void> {
    await retryUntilUnchanged(() => this.#database.kv.get(this.#database.keys.all("check")));
  }

  async close(): Promise<void> {
    await this.#janitor.stop();
    this.#onClose();
  }

  /** Reads data of a task's head while no commit of it is being written out. */
  async #read<T>(taskId: string, read: (head: Head) => Promise<T>): Promise<T | undefined> {
    const { kv, keys } = this.#database;
    return await retryUntilUnchanged(async () => {
      const head = (await kv.get(keys.head(taskId))).value as Head | null;
      if (head === null) return undefined;
      if (head.wide === undefined) return await read(head);
      await this.#queue.run(taskId, FINISH_PENDING);
      throw new ChangedMeanwhile();
    });
  }

  /** @throws {ChangedMeanwhile} If the incarnation is gone, so reads may have missed data. */
  async #assertAlive({ life: storageId }: Head): Promise<void> {
    const { kv, keys } = this.#database;
    if ((await kv.get(keys.alive(storageId))).value === null) throw new ChangedMeanwhile();
  }

  /** Reads the events that a commit repeats. */
  async #withRepeated(
    taskId: string,
    indexes: readonly number[],
    use: (repeated: (index: number) => StoredEvent) => CommitResult,
  ): Promise<CommitResult> {
    const { kv, keys } = this.#database;
    const result = await this.#read(taskId, async (head): Promise<CommitResult> => {
      const { life: storageId, status } = head;
      const entries = await getAll(kv, indexes.map((index) => keys.event(storageId, index)));
      const found = new Map<number, StoredEvent>();
      for (const [at, { value }] of entries.entries()) {
        // Only ended tasks are trimmed, and their commits only ever repeat events.
        if (value === null) return { ok: false, refusal: { code: "TERMINAL", status } };
        const event = value as EventValue;
        const data = await readText(this.#database, storageId, event.data);
        found.set(indexes[at]!, toStoredEvent(indexes[at]!, event, data));
      }
      await this.#assertAlive(head);
      return use((index) => found.get(index)!);
    });
    return result ?? { ok: false, refusal: { code: "ABSENT" } };
  }
}

function missing(index: number): never {
  throw new Error(`Event ${index} was not looked up`);
}
