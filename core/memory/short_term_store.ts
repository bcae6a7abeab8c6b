import type {
  EventDraft,
  LogMark,
  StoredEvent,
  TaskMark,
  TaskRecord,
} from "../contracts/records.ts";
import { DUE_KINDS } from "../contracts/records.ts";
import type {
  Commit,
  CommitResult,
  DueWork,
  Refusal,
  ShortTermStore,
} from "../contracts/short_term_store.ts";
import type { Trim } from "../contracts/log_trimmer.ts";
import type { NoteChange } from "../contracts/task_notes.ts";
import type { ClaimedWork, MarkedTask, Work } from "../contracts/work_queue.ts";
import { WORK_KINDS } from "../contracts/work_queue.ts";
import { isTerminal } from "../protocol/task.ts";
import type { SeriesKind } from "../rules/append.ts";
import { isAtMark } from "../rules/mark.ts";
import { checkSeries, newSeriesKind } from "../rules/append.ts";
import { draftOfStored } from "../rules/series.ts";
import { DueIndex } from "./due_index.ts";
import type { TaskEntry } from "./task_table.ts";
import { logMarkOf, TaskTable } from "./task_table.ts";
import type { TaskLog } from "./task_log.ts";
import { WorkTable } from "./work_table.ts";
import { EVENT_OVERHEAD_BYTES } from "./task_log.ts";

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

/**
 * Tasks in the memory of this process: the reference of what a store does.
 *
 * Commits are atomic because nothing in them waits.
 */
export class MemoryShortTermStore extends TaskTable implements ShortTermStore {
  readonly #due = new DueIndex(DUE_KINDS);
  /** Ended tasks in the order of their ends: a map keeps the order in which keys were added. */
  readonly #ended = new Map<string, true>();
  readonly #work = new WorkTable();
  readonly #notes = new Map<string, Map<string, string>>();
  /** What each task and its log are counted with. */
  readonly #sizes = new Map<string, number>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** An empty store. */
  constructor({ maxBytes = 512 * 1024 * 1024 }: MemoryStoreOptions = {}) {
    super();
    this.#maxBytes = maxBytes;
  }

  /** Bytes that tasks and events take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { taskId, expect, events } = commit;
    const entry = this.get(taskId);
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
    const checked = log.producers.check(events, log.length);
    if ("code" in checked) return refused(checked);
    const { repeats } = checked;
    const { status } = record.task;
    if (isTerminal(status) && repeats.some((index) => index !== undefined && !log.at(index))) {
      return refused({ code: "TERMINAL", status }); // What it repeats was trimmed.
    }
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
    if (fresh.length > 0) this.#markForWork(entry, commit);
    const stored = repeats.map((index) => log.at(index ?? next++)!);
    return { ok: true, events: stored, from, length: log.length, ...hookedOf(record) };
  }

  async deleteTask(taskId: string, at?: TaskMark): Promise<boolean> {
    const entry = this.get(taskId);
    if (entry === undefined || (at !== undefined && !isAtMark(logMarkOf(entry), at))) return false;
    this.remove(taskId);
    return await Promise.resolve(true);
  }

  async trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number> {
    const removed = this.trim(taskId, incarnation, trim);
    if (removed.length > 0) this.#grow(taskId, -sizeOf(removed.map(draftOfStored)));
    return await Promise.resolve(removed.length);
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await Promise.resolve(this.#due.read(nowMs, limit));
  }

  async claim(
    work: Work,
    options: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    return await Promise.resolve(this.#work.claim(work, options));
  }

  async archived(
    taskId: string,
    at: LogMark,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    const entry = this.get(taskId);
    if (entry === undefined) return false;
    const isThere = isAtMark(logMarkOf(entry), at);
    this.#work.set(taskId, "archive", isThere ? undefined : againAtMs);
    if (isThere && releaseAtMs !== undefined) this.#work.set(taskId, "release", releaseAtMs);
    return await Promise.resolve(isThere);
  }

  async mark(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    at: TaskMark,
  ): Promise<boolean> {
    const entry = this.get(taskId);
    if (entry === undefined || !isAtMark(logMarkOf(entry), at)) return false;
    this.#work.set(taskId, work, atMs);
    return await Promise.resolve(true);
  }

  async marked(
    work: Work,
    options: { limit: number; after?: MarkedTask },
  ): Promise<MarkedTask[]> {
    return await Promise.resolve(this.#work.list(work, options));
  }

  async readNotes(
    taskId: string,
    incarnation: string,
  ): Promise<Record<string, string> | undefined> {
    if (this.get(taskId)?.record.incarnation !== incarnation) return undefined;
    return await Promise.resolve(Object.fromEntries(this.#notes.get(taskId) ?? []));
  }

  async writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    { from, to }: NoteChange,
  ): Promise<boolean> {
    if (this.get(taskId)?.record.incarnation !== incarnation) return false;
    const notes = this.#notes.get(taskId) ?? new Map<string, string>();
    if (notes.get(name) !== from) return false;
    this.#notes.set(taskId, notes);
    this.#grow(taskId, (to?.length ?? 0) - (from?.length ?? 0));
    if (to === undefined) notes.delete(name);
    else notes.set(name, to);
    return await Promise.resolve(true);
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  async #create(commit: Commit): Promise<CommitResult> {
    const record = structuredClone(commit.record!);
    const bytes = recordBytes(record);
    const refusal = this.#makeRoom(bytes + sizeOf(commit.events));
    if (refusal !== undefined) return refused(refusal);
    const entry = this.add(record);
    this.#grow(commit.taskId, bytes);
    return await this.#finish(entry, commit);
  }

  async #replace(entry: TaskEntry, commit: Commit): Promise<CommitResult> {
    const before = recordBytes(entry.record);
    entry.record = structuredClone(commit.record!);
    this.#grow(commit.taskId, recordBytes(entry.record) - before);
    return await this.#finish(entry, commit);
  }

  /** A task can always change its state, so neither bounds nor series are asked. */
  #finish(entry: TaskEntry, commit: Commit): CommitResult {
    const { taskId, events, nowMs, due } = commit;
    const from = entry.log.length;
    const stored = events.map((draft) => this.#append(entry, draft, nowMs));
    this.#due.set(taskId, due ?? {});
    this.#markForWork(entry, commit);
    if (isTerminal(entry.record.task.status)) this.#ended.set(taskId, true);
    this.#makeRoom(0, taskId);
    const { record, log: { length } } = entry;
    return { ok: true, events: stored, from, length, ...hookedOf(record) };
  }

  #markForWork({ record }: TaskEntry, { taskId, marks = {} }: Commit): void {
    for (const kind of WORK_KINDS) {
      const atMs = marks[kind];
      if (atMs === undefined || (kind === "deliver" && !record.hooked)) continue;
      if (this.#work.get(taskId, kind) === undefined) this.#work.set(taskId, kind, atMs);
    }
  }

  #append(entry: TaskEntry, draft: EventDraft, nowMs: number): StoredEvent {
    const event = entry.log.append(draft, nowMs, kindOf(entry.log, draft));
    this.#grow(entry.record.task.id, sizeOf([draft]));
    return event;
  }

  #checkAppend(
    { record, log }: TaskEntry,
    { events, maxEvents, maxBytes }: Commit,
    repeats: readonly (number | undefined)[],
  ): Refusal | undefined {
    const { status } = record.task;
    if (isTerminal(status)) return { code: "TERMINAL", status };
    const conflict = checkSeries(events, repeats, (id) => log.series.kindOf(id));
    if (conflict !== undefined) return conflict;
    const fresh = events.filter((_, at) => repeats[at] === undefined);
    const length = log.length + fresh.length;
    const dataBytes = fresh.reduce((sum, { data }) => sum + data.length, log.dataBytes);
    if (length > maxEvents || dataBytes > maxBytes) return { code: "TASK_FULL" };
    return undefined;
  }

  /** Gives up the tasks that ended longest ago, and that the archive has, until there is room. */
  #makeRoom(bytes: number, keep?: string): Refusal | undefined {
    if (this.#bytes + bytes <= this.#maxBytes) return undefined;
    for (const oldest of this.#ended.keys()) {
      if (oldest === keep || this.#isWantedElsewhere(oldest)) continue;
      this.remove(oldest);
      if (this.#bytes + bytes <= this.#maxBytes) return undefined;
    }
    return { code: "STORE_FULL" };
  }

  /** The archive or a webhook does not have all of it yet. */
  #isWantedElsewhere(taskId: string): boolean {
    return this.#work.get(taskId, "archive") !== undefined ||
      this.#work.get(taskId, "deliver") !== undefined;
  }

  #grow(taskId: string, bytes: number): void {
    this.#sizes.set(taskId, (this.#sizes.get(taskId) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  /** @ignore */
  protected override remove(taskId: string): void {
    super.remove(taskId);
    this.#due.delete(taskId);
    this.#work.delete(taskId);
    this.#notes.delete(taskId);
    this.#ended.delete(taskId);
    this.#grow(taskId, -this.#sizes.get(taskId)!);
    this.#sizes.delete(taskId);
  }
}

function hookedOf({ hooked }: TaskRecord): { hooked?: true } {
  return hooked ? { hooked } : {};
}

function refused(refusal: Refusal): CommitResult {
  return { ok: false, refusal };
}

/** What a draft's series is: as it began, or as this draft begins it. */
function kindOf(log: TaskLog, draft: EventDraft): SeriesKind | undefined {
  if (draft.seriesId === undefined) return undefined;
  return log.series.kindOf(draft.seriesId) ?? newSeriesKind(draft);
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
