import type { ArchivePart, ArchivePosition, LongTermStore } from "../contracts/long_term_store.ts";
import type { Trim } from "../contracts/log_trimmer.ts";
import type { RevisionExpectation, TaskRecord } from "../contracts/records.ts";
import type { ClaimedWork, Work } from "../contracts/work_queue.ts";
import { copyOf } from "../domain/copy.ts";
import { isAtRevision } from "../domain/revision.ts";
import { draftOfStored } from "../domain/series.ts";
import { revisionOfEntry, TaskTable } from "./task_table.ts";
import { WorkTable } from "./work_table.ts";

/** Maximum number of deleted incarnations that are remembered; older ones are dropped. */
const MAX_TOMBSTONES = 100_000;

/**
 * An archive in the memory of this process, for tests. It is the reference implementation of the
 * contract.
 */
export class MemoryLongTermStore extends TaskTable implements LongTermStore {
  /** Deleted incarnations, oldest first. */
  readonly #deleted = new Set<string>();
  readonly #work = new WorkTable();

  async positions(
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]> {
    return await Promise.resolve(
      tasks.map(({ taskId, incarnation }) => this.#positionOf(taskId, incarnation)),
    );
  }

  async archive(parts: readonly ArchivePart[]): Promise<ArchivePosition[]> {
    return await Promise.resolve(parts.map((part) => this.#take(part)));
  }

  async moveTask(taskId: string, incarnation: string, record: TaskRecord): Promise<boolean> {
    if (this.get(taskId)?.record.incarnation !== incarnation) return false;
    this.move(taskId, copyOf(record));
    this.#work.set(record.task.id, "clean", this.#work.get(taskId, "clean"));
    this.#work.delete(taskId);
    return await Promise.resolve(true);
  }

  async deleteTask(taskId: string, incarnation: string): Promise<boolean> {
    this.#deleted.add(incarnation);
    if (this.#deleted.size > MAX_TOMBSTONES) {
      const [oldest] = this.#deleted;
      this.#deleted.delete(oldest!);
    }
    if (this.get(taskId)?.record.incarnation !== incarnation) return false;
    this.remove(taskId);
    return await Promise.resolve(true);
  }

  async trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number> {
    return await Promise.resolve(this.trim(taskId, incarnation, trim).length);
  }

  /** Claims tasks that are scheduled for clean-up. */
  async claim(
    work: Work,
    options: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    return await Promise.resolve(this.#work.claim(work, options));
  }

  /** Schedules a task for clean-up. */
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

  async check(): Promise<void> {}

  async close(): Promise<void> {}

  /** @ignore */
  protected override remove(taskId: string): void {
    super.remove(taskId);
    this.#work.delete(taskId);
  }

  #take({ record, events, cleanAtMs }: ArchivePart): ArchivePosition {
    const { task, incarnation, version } = record;
    let entry = this.get(task.id);
    if (this.#deleted.has(incarnation)) return { deleted: true };
    if (entry !== undefined && entry.record.incarnation !== incarnation) {
      if (record.unconfirmed) return this.#positionOf(task.id, incarnation);
      if (entry.record.task.createdAt > task.createdAt) return { deleted: true };
      this.remove(task.id);
      entry = undefined;
    }
    entry ??= this.add(copyOf(record));
    if (version > entry.record.version) entry.record = copyOf(record);
    const { log } = entry;
    for (const event of events) {
      if (event.index !== log.length) continue;
      const { seriesMode: mode, accField } = event;
      log.append(draftOfStored(event), event.timestamp, mode && { mode, accField });
    }
    if (cleanAtMs !== undefined && this.#work.get(task.id, "clean") === undefined) {
      this.#work.set(task.id, "clean", cleanAtMs);
    }
    return this.#positionOf(task.id, incarnation);
  }

  #positionOf(taskId: string, incarnation: string): ArchivePosition {
    if (this.#deleted.has(incarnation)) return { deleted: true };
    const entry = this.get(taskId);
    if (entry === undefined) return { version: 0, length: 0 };
    if (entry.record.incarnation !== incarnation) {
      const { incarnation: other, task: { createdAt } } = entry.record;
      return { version: 0, length: 0, other: { incarnation: other, createdAt } };
    }
    const { record: { version }, log } = entry;
    if (log.length === 0) return { version, length: 0 };
    return { version, length: log.length, entropy: log.at(log.length - 1)?.entropy };
  }
}
