import type { LongTermStore } from "../../contracts/long_term_store.ts";
import type { EventDraft, StoredEvent, TaskHead, TaskRecord } from "../../contracts/records.ts";
import type { Commit } from "../../contracts/short_term_store.ts";
import { isTerminal } from "../../protocol/status.ts";
import { RELEASED_ID_MS } from "../../domain/fresh_id.ts";
import { isRefilling, realIncarnation, refilling } from "../../domain/retention/refilling.ts";
import { draftOfStored } from "../../domain/series.ts";
import { dueTimes } from "../../domain/transitions/transition.ts";
import { revisionOf } from "./archive_batch.ts";
import { CannotArchive } from "./archive_faults.ts";
import type { EngineContext } from "../../context/context.ts";

/** Maximum number of commits for one task before others get their turn. */
const TURN_COMMITS = 500;

/** Milliseconds after which another instance continues with an unfinished stand-in. */
const LEASE_MS = 10_000;

/**
 * Restores live tasks from the archive to a short-term store that lost them or their newest events.
 *
 * The events of a log have many timestamps and a commit has only one, so this takes several commits. Until
 * the last one a stand-in holds the id (see `domain/retention/refilling.ts`): the archive serves reads, and
 * writes are refused for the moment. Each commit expects exactly the state that the previous one left, so
 * any number of instances may do this at once, and one continues where another died.
 */
export class Refill {
  /** Number of restored tasks. */
  tasksRefilled = 0;
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #expect: (atMs: number) => void;
  readonly #onRefilled: (record: TaskRecord) => void;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    { expect, onRefilled }: {
      /** Called with the time at which the archiver must check a task. */
      expect: (atMs: number) => void;
      onRefilled: (record: TaskRecord) => void;
    },
  ) {
    this.#expect = expect;
    this.#context = context;
    this.#archive = archive;
    this.#onRefilled = onRefilled;
  }

  /**
   * Replaces a hot copy that is a prefix of the archive's copy. Does nothing if the task has changed
   * meanwhile.
   */
  async replace(head: TaskHead): Promise<void> {
    const { store, clock } = this.#context;
    const { task: { id }, incarnation, hooked: hasWebhooks } = head.record;
    const notes = hasWebhooks ? await store.readNotes(id, incarnation) : undefined;
    const nowMs = clock.now();
    // Only at exactly this revision. The id stays reserved in between.
    const closing = { nowMs, untilMs: nowMs + LEASE_MS };
    if (await store.deleteTask(id, revisionOf(head), closing)) await this.run(id, notes);
  }

  /**
   * Restores a live task that only the archive has, or continues an unfinished restoration.
   *
   * @param notes The webhook notes of the hot copy.
   * @throws {CannotArchive} If that is impossible. Nothing is lost then.
   */
  async run(taskId: string, notes: Record<string, string> = {}): Promise<void> {
    const { store, clock } = this.#context;
    const hot = await store.getTask(taskId);
    if (hot !== undefined && !isRefilling(hot.record.incarnation)) return;
    // Read after the short-term store, because deletions and releases change the archive first.
    const cold = await this.#archive.getTask(taskId, hot && hot.length - 1);
    const isWanted = cold !== undefined && !isTerminal(cold.record.task.status);
    if (hot !== undefined) {
      const original = realIncarnation(hot.record.incarnation);
      if (!isWanted || cold.record.incarnation !== original) {
        return void await store.deleteTask(taskId, revisionOf(hot));
      }
    }
    if (!isWanted) return;
    if (cold.trimmedThrough !== undefined) throw this.#failed(taskId, "events of it were removed");
    if (hot !== undefined && !await this.#isBeginning(taskId, hot, cold)) return;
    const { record } = cold;
    let length = hot?.length ?? 0;
    if (hot === undefined) {
      // With a later time, because its id may be reserved.
      const nowMs = clock.now() + RELEASED_ID_MS;
      const first = cold.length === 0 ? record : refilling(record, 0);
      if (!await this.#commit(first, "absent", nowMs)) return;
      for (const [name, to] of Object.entries(notes)) {
        await store.writeNote(taskId, first.incarnation, name, { from: undefined, to });
      }
      if (cold.length === 0) return await this.#finish(record, 0, 0);
    }
    for (let commits = 0; commits < TURN_COMMITS;) {
      const events = await this.#read(record, length);
      const runs = length < cold.length ? runsOf(events, cold.length) : [[]];
      if (runs.length === 0) throw this.#failed(taskId, "the archive's log ends before it says");
      for (const run of runs) {
        const { version, incarnation } = refilling(record, length);
        const from = length;
        length += run.length;
        const next = length >= cold.length ? record : refilling(record, length);
        const nowMs = run[0]?.timestamp ?? clock.now();
        if (!await this.#commit(next, { version, incarnation }, nowMs, run)) return;
        if (next === record) return await this.#finish(record, from, length);
        commits++;
      }
    }
    await this.#scheduleArchiving(taskId);
  }

  async #scheduleArchiving(taskId: string): Promise<void> {
    const { store, clock } = this.#context;
    const nowMs = clock.now();
    await store.schedule(taskId, "archive", nowMs);
    this.#expect(nowMs);
  }

  /**
   * Returns whether the stand-in has not changed since it was read.
   *
   * @throws {CannotArchive} If it has events that the archive lacks, which must not be lost.
   */
  async #isBeginning(taskId: string, hot: TaskHead, cold: TaskHead): Promise<boolean> {
    const { length, record: { incarnation, version } } = hot;
    const now = await this.#context.store.getTask(taskId, length - 1);
    if (now?.record.incarnation !== incarnation || now.length !== length) return false;
    if (length > cold.length || version !== length + 1 || now.entropy !== cold.entropy) {
      throw this.#failed(taskId, "what is there of it is not what the archive has");
    }
    return true;
  }

  /** Returns whether the commit succeeded; `false` if another instance was faster. */
  async #commit(
    record: TaskRecord,
    expect: Commit["expect"],
    nowMs: number,
    run: readonly StoredEvent[] = [],
  ): Promise<boolean> {
    const { store, clock } = this.#context;
    const { task: { id: taskId }, incarnation, hooked: hasWebhooks } = record;
    const isDone = !isRefilling(incarnation);
    const result = await store.commit({
      taskId,
      expect,
      record,
      // Nobody could renew the lease while the task was lost.
      due: isDone ? dueTimes(record, clock.now() + (record.leaseMs ?? 0)) : {},
      events: run.map(toDraft),
      nowMs,
      maxEvents: Number.MAX_SAFE_INTEGER,
      maxBytes: Number.MAX_SAFE_INTEGER,
      schedule: {
        archive: clock.now() + LEASE_MS,
        deliver: isDone && hasWebhooks ? clock.now() : undefined,
      },
    });
    if (result.ok) return true;
    const { code } = result.refusal;
    if (code === "CONFLICT" || code === "EXISTS" || code === "ABSENT") return false;
    throw this.#failed(taskId, `the short-term store refuses it: ${code}`);
  }

  async #read({ task: { id }, incarnation }: TaskRecord, from: number): Promise<StoredEvent[]> {
    const { pageSize: limit, pageBytes: maxBytes } = this.#context.options;
    const page = await this.#archive.readLog(id, { after: from - 1, limit, maxBytes });
    return page?.incarnation === incarnation && page.events[0]?.index === from ? page.events : [];
  }

  async #finish(record: TaskRecord, from: number, length: number): Promise<void> {
    const { store, broadcast, report } = this.#context;
    const taskId = record.task.id;
    this.tasksRefilled++;
    this.#onRefilled(record);
    report(
      new Error(
        `The short-term store lost the live task "${taskId}", or events of it; it was brought back ` +
          "as the archive has it",
      ),
      { operation: "archive", taskId },
    );
    // The archiver compares both copies, because the task may have been deleted meanwhile.
    await this.#scheduleArchiving(taskId);
    if (store.announcesOn !== broadcast) await broadcast.publish({ taskId, from, length });
  }

  #failed(taskId: string, why: string): CannotArchive {
    return new CannotArchive(
      taskId,
      `the short-term store lost it, or events of it, and it cannot be brought back: ${why}`,
    );
  }
}

/** Groups events by timestamp, up to the length of the archive's log. */
function runsOf(events: readonly StoredEvent[], length: number): StoredEvent[][] {
  const runs: StoredEvent[][] = [];
  for (const event of events) {
    if (event.index >= length) break;
    const run = runs.at(-1);
    if (run?.[0]?.timestamp === event.timestamp) run.push(event);
    else runs.push([event]);
  }
  return runs;
}

function toDraft(event: StoredEvent): EventDraft {
  const { entropy, type, level, data, seriesId, seriesMode, accField, delta } = draftOfStored(
    event,
  );
  return {
    entropy,
    type,
    level,
    data,
    ...(seriesId !== undefined && { seriesId, seriesMode, accField }),
    ...(delta !== undefined && { delta }),
  };
}
