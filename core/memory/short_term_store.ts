import type { EventDraft, StoredEvent, TaskHead, TaskRecord } from "../contracts/records.ts";
import type {
  Commit,
  CommitResult,
  DueWork,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  LogView,
  Refusal,
  ShortTermStore,
} from "../contracts/short_term_store.ts";
import type { EventFilter } from "../protocol/event.ts";
import { isTerminal } from "../protocol/task.ts";
import { matchesType } from "../rules/filter.ts";
import { DueIndex } from "./due_index.ts";
import type { SeriesKind } from "./series_index.ts";
import { EVENT_OVERHEAD_BYTES, TaskLog } from "./task_log.ts";
import { TaskList } from "./task_list.ts";

/** Options for {@linkcode MemoryShortTermStore}. */
export interface MemoryStoreOptions {
  /**
   * Bytes that tasks and events may take, about. Beyond it the tasks that ended longest ago are
   * given up; when there are none left, writing is refused with `STORE_FULL`. @default {536870912}
   */
  maxBytes?: number;
}

/** Bytes that a task is counted with beside its JSON. */
const TASK_OVERHEAD_BYTES = 1024;

interface Entry {
  record: TaskRecord;
  log: TaskLog;
  /** What the task and its log are counted with. */
  bytes: number;
}

/**
 * Tasks in the memory of this process: the reference of what a store does.
 *
 * Commits are atomic because nothing in them waits.
 */
export class MemoryShortTermStore implements ShortTermStore {
  readonly #entries = new Map<string, Entry>();
  readonly #list = new TaskList();
  readonly #due = new DueIndex();
  /** Ended tasks in the order of their ends: a map keeps the order in which keys were added. */
  readonly #ended = new Map<string, true>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** An empty store. */
  constructor({ maxBytes = 512 * 1024 * 1024 }: MemoryStoreOptions = {}) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that tasks and events take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { taskId, expect, events } = commit;
    const entry = this.#entries.get(taskId);
    if (expect === "absent") {
      if (entry !== undefined) return refused({ code: "EXISTS" });
      return await this.#create(commit);
    }
    if (entry === undefined) return refused({ code: "ABSENT" });
    const { record, log } = entry;
    if (expect !== "live") {
      if (record.version !== expect.version || record.incarnation !== expect.incarnation) {
        return refused({ code: "CONFLICT" });
      }
      return await this.#replace(entry, commit);
    }
    const repeats = log.producers.check(events, log.length);
    if (!Array.isArray(repeats)) return refused(repeats);
    const fresh = events.filter((_, i) => repeats[i] === undefined);
    if (fresh.length > 0) {
      const refusal = this.#checkAppend(entry, commit, repeats) ?? this.#makeRoom(sizeOf(fresh));
      if (refusal !== undefined) return refused(refusal);
    }
    const from = log.length;
    for (let i = 0; i < events.length; i++) {
      if (repeats[i] === undefined) this.#append(entry, events[i]!, commit.nowMs);
    }
    let next = from;
    const stored = repeats.map((index) => log.at(index ?? next++));
    return { ok: true, events: stored, from, length: log.length };
  }

  async getTask(taskId: string): Promise<TaskHead | undefined> {
    const entry = this.#entries.get(taskId);
    return await Promise.resolve(
      entry && { record: structuredClone(entry.record), length: entry.log.length },
    );
  }

  async listTasks({ statuses, types, tag, limit, after }: ListQuery): Promise<ListPage> {
    const tasks: TaskRecord[] = [];
    for (const id of this.#list.newestFirst(after)) {
      const { record } = this.#entries.get(id)!;
      const { status, type = "", tags } = record.task;
      if (statuses !== undefined && !statuses.includes(status)) continue;
      if (types !== undefined && !matchesType(type, types)) continue;
      if (tag !== undefined && !tags?.includes(tag)) continue;
      if (tasks.length === limit) return { tasks, more: true };
      tasks.push(structuredClone(record));
    }
    return await Promise.resolve({ tasks, more: false });
  }

  async deleteTask(taskId: string): Promise<boolean> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return false;
    this.#entries.delete(taskId);
    this.#list.delete(entry.record);
    this.#due.delete(taskId);
    this.#ended.delete(taskId);
    this.#bytes -= entry.bytes;
    return await Promise.resolve(true);
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return undefined;
    return await Promise.resolve({ ...entry.log.read(query), ...stateOf(entry) });
  }

  async readView(taskId: string, { after }: { after: number }): Promise<LogView | undefined> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return undefined;
    return await Promise.resolve({
      series: entry.log.series.foldsAfter(after),
      ...stateOf(entry),
    });
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
  ): Promise<number[]> {
    const log = this.#entries.get(taskId)?.log;
    return await Promise.resolve(log?.countMatches(filter, indexes) ?? indexes.map(() => 0));
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await Promise.resolve(this.#due.read(nowMs, limit));
  }

  async close(): Promise<void> {}

  async #create(commit: Commit): Promise<CommitResult> {
    const record = structuredClone(commit.record!);
    const bytes = recordBytes(record);
    const refusal = this.#makeRoom(bytes + sizeOf(commit.events));
    if (refusal !== undefined) return refused(refusal);
    const entry: Entry = { record, log: new TaskLog(), bytes };
    this.#bytes += bytes;
    this.#entries.set(commit.taskId, entry);
    this.#list.add(record);
    return await this.#finish(entry, commit);
  }

  async #replace(entry: Entry, commit: Commit): Promise<CommitResult> {
    const before = recordBytes(entry.record);
    entry.record = structuredClone(commit.record!);
    const grown = recordBytes(entry.record) - before;
    entry.bytes += grown;
    this.#bytes += grown;
    return await this.#finish(entry, commit);
  }

  /** A task can always change its state, so neither bounds nor series are asked. */
  #finish(entry: Entry, { taskId, events, nowMs, due }: Commit): CommitResult {
    const from = entry.log.length;
    const stored = events.map((draft) => this.#append(entry, draft, nowMs));
    this.#due.set(taskId, due ?? {});
    if (isTerminal(entry.record.task.status)) this.#ended.set(taskId, true);
    this.#makeRoom(0, taskId);
    return { ok: true, events: stored, from, length: entry.log.length };
  }

  #append(entry: Entry, draft: EventDraft, nowMs: number): StoredEvent {
    const event = entry.log.append(draft, nowMs, kindOf(entry.log, draft));
    const bytes = sizeOf([draft]);
    entry.bytes += bytes;
    this.#bytes += bytes;
    return event;
  }

  #checkAppend(
    { record, log }: Entry,
    { events, maxEvents, maxBytes }: Commit,
    repeats: readonly (number | undefined)[],
  ): Refusal | undefined {
    const { status } = record.task;
    if (isTerminal(status)) return { code: "TERMINAL", status };
    const begun = new Map<string, SeriesKind>();
    let { length, dataBytes } = log;
    for (let at = 0; at < events.length; at++) {
      if (repeats[at] !== undefined) continue;
      const draft = events[at]!;
      length++;
      dataBytes += draft.data.length;
      const { seriesId, seriesMode, accField } = draft;
      if (seriesId === undefined) continue;
      const kind = log.series.kindOf(seriesId) ?? begun.get(seriesId) ?? newKind(draft);
      begun.set(seriesId, kind);
      const { mode } = kind;
      const otherField = mode === "accumulate" && kind.accField !== accField;
      if ((seriesMode !== undefined && seriesMode !== mode) || otherField) {
        return { code: "SERIES_CONFLICT", at, mode, accField: kind.accField };
      }
    }
    if (length > maxEvents || dataBytes > maxBytes) return { code: "TASK_FULL" };
    return undefined;
  }

  /** Gives up the tasks that ended longest ago until there is room. */
  #makeRoom(bytes: number, keep?: string): Refusal | undefined {
    while (this.#bytes + bytes > this.#maxBytes) {
      const [oldest] = this.#ended.keys();
      if (oldest === undefined || oldest === keep) return { code: "STORE_FULL" };
      void this.deleteTask(oldest);
    }
    return undefined;
  }
}

function refused(refusal: Refusal): CommitResult {
  return { ok: false, refusal };
}

function stateOf({ record, log }: Entry): Pick<LogPage, "length" | "incarnation" | "status"> {
  return {
    length: log.length,
    incarnation: record.incarnation,
    status: record.task.status,
  };
}

/** What a draft's series is: as it began, or as this draft begins it. */
function kindOf(log: TaskLog, draft: EventDraft): SeriesKind | undefined {
  if (draft.seriesId === undefined) return undefined;
  return log.series.kindOf(draft.seriesId) ?? newKind(draft);
}

function newKind({ seriesMode = "keep-all", accField }: EventDraft): SeriesKind {
  return seriesMode === "accumulate" ? { mode: seriesMode, accField } : { mode: seriesMode };
}

function recordBytes(record: TaskRecord): number {
  return JSON.stringify(record).length + TASK_OVERHEAD_BYTES;
}

function sizeOf(drafts: readonly EventDraft[]): number {
  // A delta is kept twice: in its event and in the fold of its series.
  return drafts.reduce(
    (sum, { data, delta = "" }) => sum + data.length + delta.length + EVENT_OVERHEAD_BYTES,
    0,
  );
}
