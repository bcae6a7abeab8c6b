import type {
  EventDraft,
  RevisionExpectation,
  StoredEvent,
  TaskRecord,
  TaskRevision,
} from "../contracts/records.ts";
import { DUE_KINDS } from "../contracts/records.ts";
import type {
  Commit,
  CommitResult,
  DueWork,
  Refusal,
  ShortTermStore,
  Tombstone,
} from "../contracts/short_term_store.ts";
import type { LeaseRenewal, Leases } from "../contracts/leases.ts";
import type { Trim } from "../contracts/log_trimmer.ts";
import type { NoteChange } from "../contracts/task_notes.ts";
import type { ClaimedWork, ScheduledTask, Work } from "../contracts/work_queue.ts";
import { WORK_KINDS } from "../contracts/work_queue.ts";
import { isTerminal } from "../protocol/status.ts";
import { newSeriesKind } from "../domain/commits/append.ts";
import { checkCommit } from "../domain/commits/commit.ts";
import { storedDue } from "../domain/commits/stored_due.ts";
import { copyOf } from "../domain/copy.ts";
import { isLive } from "../domain/commits/expectation.ts";
import { isAtRevision } from "../domain/revision.ts";
import { draftOfStored } from "../domain/series.ts";
import { ClosedIds, TOMBSTONE_BYTES } from "./closed_ids.ts";
import { DueIndex } from "./due_index.ts";
import type { TaskEntry } from "./task_table.ts";
import { revisionOfEntry, TaskTable } from "./task_table.ts";
import type { TaskLog } from "./task_log.ts";
import { WorkTable } from "./work_table.ts";
import { EVENT_OVERHEAD_BYTES } from "./task_log.ts";

/** Options for {@linkcode MemoryShortTermStore}. */
export interface MemoryStoreOptions {
  /**
   * Approximate maximum of bytes for tasks and events. Beyond it, the tasks that ended longest ago
   * are removed; if none are left, commits are refused with `STORE_FULL`. @default {536870912}
   */
  maxBytes?: number;
}

/** Bytes counted for a task in addition to its JSON. */
const TASK_OVERHEAD_BYTES = 1024;

/**
 * Tasks in the memory of this process. It is the reference implementation of the contract.
 *
 * Commits are atomic because nothing in them awaits.
 */
export class MemoryShortTermStore extends TaskTable implements ShortTermStore {
  readonly durable: boolean = false;
  readonly leases: Leases = { renew: (renewals) => this.renewLeases(renewals) };
  readonly #due = new DueIndex(DUE_KINDS);
  /** Ended tasks in the order of their ends, since a map keeps insertion order. */
  readonly #ended = new Map<string, true>();
  readonly #work = new WorkTable();
  readonly #closed = new ClosedIds();
  readonly #notes = new Map<string, Map<string, string>>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** An empty store. */
  constructor({ maxBytes = 512 * 1024 * 1024 }: MemoryStoreOptions = {}) {
    super();
    this.#maxBytes = maxBytes;
  }

  /** Approximate bytes of tasks and events. */
  get bytes(): number {
    return this.#bytes + this.#closed.size * TOMBSTONE_BYTES;
  }

  commit(commit: Commit): Promise<CommitResult> {
    return Promise.resolve(this.#commit(commit));
  }

  async deleteTask(
    taskId: string,
    at?: RevisionExpectation,
    closing?: Tombstone,
  ): Promise<boolean> {
    if (closing === undefined) this.#closed.open(taskId, at);
    const entry = this.get(taskId);
    if (entry === undefined || !isAtRevision(revisionOfEntry(entry), at)) {
      return false;
    }
    this.remove(taskId);
    if (closing !== undefined) this.#closed.close(taskId, entry.record.incarnation, closing);
    return await Promise.resolve(true);
  }

  async trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number> {
    const removed = this.trim(taskId, incarnation, trim);
    const entry = this.get(taskId);
    if (entry !== undefined) this.#grow(entry, -sizeOf(removed.map(draftOfStored)));
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
    at: TaskRevision,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    const entry = this.get(taskId);
    if (entry === undefined) return false;
    const isThere = isAtRevision(revisionOfEntry(entry), at);
    this.#work.set(taskId, "archive", isThere ? undefined : againAtMs);
    if (isThere && releaseAtMs !== undefined) this.#work.set(taskId, "release", releaseAtMs);
    return await Promise.resolve(isThere);
  }

  async schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean> {
    const entry = this.get(taskId);
    if (entry === undefined || !isAtRevision(revisionOfEntry(entry), expected)) return false;
    this.#work.set(taskId, work, atMs);
    return await Promise.resolve(true);
  }

  async scheduled(
    work: Work,
    options: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]> {
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
    const entry = this.get(taskId);
    if (entry?.record.incarnation !== incarnation) return false;
    const notes = this.#notes.get(taskId) ?? new Map<string, string>();
    if (notes.get(name) !== from) return false;
    this.#notes.set(taskId, notes);
    this.#grow(entry, (to?.length ?? 0) - (from?.length ?? 0));
    if (to === undefined) notes.delete(name);
    else notes.set(name, to);
    return await Promise.resolve(true);
  }

  /** Extends leases; see {@linkcode Leases}. */
  async renewLeases(renewals: readonly LeaseRenewal[]): Promise<boolean[]> {
    return await Promise.resolve(renewals.map((renewal) => this.#renew(renewal)));
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  #commit(commit: Commit): CommitResult {
    const { taskId, expect, nowMs } = commit;
    const entry = this.get(taskId);
    const isClosed = expect === "absent" && this.#closed.has(taskId, nowMs);
    const checked = checkCommit(entry, commit, isClosed);
    if ("code" in checked) return refused(checked);
    if (entry === undefined) return this.#create(commit);
    return isLive(expect)
      ? this.#publish(entry, commit, checked.repeats)
      : this.#replace(entry, commit);
  }

  #create(commit: Commit): CommitResult {
    const record = copyOf(commit.record!);
    const bytes = recordBytes(record);
    const refusal = this.#makeRoom(bytes + sizeOf(commit.events));
    if (refusal !== undefined) return refused(refusal);
    const entry = this.add(record);
    this.#grow(entry, bytes);
    return this.#finish(entry, commit);
  }

  #replace(entry: TaskEntry, commit: Commit): CommitResult {
    const before = recordBytes(entry.record);
    entry.record = copyOf(commit.record!);
    this.#grow(entry, recordBytes(entry.record) - before);
    return this.#finish(entry, commit);
  }

  #publish(
    entry: TaskEntry,
    commit: Commit,
    repeats: readonly (number | undefined)[],
  ): CommitResult {
    const { record, log } = entry;
    const { events, nowMs } = commit;
    const fresh = measure(events, repeats);
    const refusal = fresh.count > 0 ? this.#makeRoom(fresh.bytes) : undefined;
    if (refusal !== undefined) return refused(refusal);
    const from = log.length;
    const stored: StoredEvent[] = [];
    for (let i = 0; i < events.length; i++) {
      const repeated = repeats[i];
      stored.push(repeated === undefined ? append(log, events[i]!, nowMs) : log.at(repeated)!);
    }
    if (fresh.count > 0) {
      this.#grow(entry, fresh.bytes);
      this.#scheduleWork(entry, commit);
    }
    return accepted(record, stored, from, log.length);
  }

  #finish(entry: TaskEntry, commit: Commit): CommitResult {
    const { taskId, events, nowMs, due } = commit;
    const { record } = entry;
    // A new task gets its log with its first event.
    const from = commit.expect === "absent" ? 0 : entry.log.length;
    const stored = events.map((draft) => append(entry.log, draft, nowMs));
    this.#grow(entry, sizeOf(events));
    const times = storedDue(due ?? {}, entry.leaseDueMs);
    entry.leaseDueMs = times.lease;
    this.#due.set(taskId, times);
    this.#scheduleWork(entry, commit);
    if (isTerminal(record.task.status)) this.#ended.set(taskId, true);
    else this.#ended.delete(taskId); // Unset while a task is being restored.
    this.#makeRoom(0, taskId);
    return accepted(record, stored, from, from + stored.length);
  }

  #renew({ taskId, lease, untilMs }: LeaseRenewal): boolean {
    const entry = this.get(taskId);
    if (entry === undefined || entry.lease !== lease) return false;
    entry.leaseDueMs = untilMs;
    this.#due.set(taskId, { ...this.#due.get(taskId), lease: untilMs });
    return true;
  }

  #scheduleWork({ record }: TaskEntry, { taskId, schedule }: Commit): void {
    if (schedule === undefined) return;
    for (const kind of WORK_KINDS) {
      const atMs = schedule[kind];
      if (atMs === undefined || (kind === "deliver" && !record.hooked)) continue;
      if (this.#work.get(taskId, kind) === undefined) this.#work.set(taskId, kind, atMs);
    }
  }

  /** Removes the tasks that ended longest ago and that the archive has, until there is room. */
  #makeRoom(bytes: number, keep?: string): Refusal | undefined {
    if (this.bytes + bytes <= this.#maxBytes) return undefined;
    for (const oldest of this.#ended.keys()) {
      if (oldest === keep || this.#isWantedElsewhere(oldest)) continue;
      this.remove(oldest);
      if (this.bytes + bytes <= this.#maxBytes) return undefined;
    }
    return { code: "STORE_FULL" };
  }

  /** Returns whether the archive or a webhook lacks a part of the task. */
  #isWantedElsewhere(taskId: string): boolean {
    return this.#work.get(taskId, "archive") !== undefined ||
      this.#work.get(taskId, "deliver") !== undefined;
  }

  #grow(entry: TaskEntry, bytes: number): void {
    entry.bytes += bytes;
    this.#bytes += bytes;
  }

  /** @ignore */
  protected override remove(taskId: string): void {
    const entry = this.get(taskId);
    if (entry !== undefined) this.#grow(entry, -entry.bytes);
    super.remove(taskId);
    this.#due.delete(taskId);
    this.#work.delete(taskId);
    this.#notes.delete(taskId);
    this.#ended.delete(taskId);
  }
}

function accepted(
  { hooked }: TaskRecord,
  events: StoredEvent[],
  from: number,
  length: number,
): CommitResult {
  return hooked ? { ok: true, events, from, length, hooked } : { ok: true, events, from, length };
}

function refused(refusal: Refusal): CommitResult {
  return { ok: false, refusal };
}

function append(log: TaskLog, draft: EventDraft, nowMs: number): StoredEvent {
  const { seriesId } = draft;
  // The first event of a series fixes its kind.
  const kind = seriesId === undefined
    ? undefined
    : log.series.kindOf(seriesId) ?? newSeriesKind(draft);
  return log.append(draft, nowMs, kind);
}

function recordBytes(record: TaskRecord): number {
  return JSON.stringify(record).length + TASK_OVERHEAD_BYTES;
}

/** Number and size of new events. */
interface Measure {
  count: number;
  /** Bytes that they count. */
  bytes: number;
}

/** @param repeats Repetitions, which are skipped; see `checkCommit`. */
function measure(
  drafts: readonly EventDraft[],
  repeats: readonly (number | undefined)[],
): Measure {
  let count = 0;
  let bytes = 0;
  for (let i = 0; i < drafts.length; i++) {
    if (repeats[i] !== undefined) continue;
    const { data, delta } = drafts[i]!;
    count++;
    // A delta is stored twice: in its event and in the fold of its series.
    bytes += data.length + (delta === undefined ? 0 : delta.length) + EVENT_OVERHEAD_BYTES;
  }
  return { count, bytes };
}

function sizeOf(drafts: readonly EventDraft[]): number {
  return measure(drafts, []).bytes;
}
