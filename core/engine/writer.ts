import type { Signal } from "../contracts/broadcast.ts";
import type { EventDraft, StoredEvent, TaskRecord } from "../contracts/records.ts";
import type { Commit, CommitResult, Refusal } from "../contracts/short_term_store.ts";
import type { ObservedCommit } from "../contracts/observer.ts";
import type { TracedWork, WorkSpan } from "../contracts/tracer.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { CreateTaskInput, Deletion, LeasedTask } from "../protocol/task.ts";
import { isTerminal } from "../protocol/status.ts";
import { ulid } from "../protocol/ulid.ts";
import { copyOf } from "../domain/copy.ts";
import { inputHash, keyedId } from "../domain/idempotency.ts";
import { grantLease } from "../domain/transitions/lease.ts";
import type { Change } from "../domain/transitions/transition.ts";
import { parseTraceparent } from "../domain/traceparent.ts";
import { dueTimes, newRecord } from "../domain/transitions/transition.ts";
import { nextCleanup, rulesOf } from "../domain/retention/cleanup.ts";
import { isFreshUlid } from "../domain/fresh_id.ts";
import { isPendingDeletion } from "../domain/retention/pending_deletion.ts";
import { isRefilling } from "../domain/retention/refilling.ts";
import { ArchiveAway } from "../context/archive_away.ts";
import type { Archiver } from "../background/archiving/archiver.ts";
import type { Cleaner } from "../background/cleanup/cleaner.ts";
import type { EngineContext } from "../context/context.ts";
import { deleteNowOrLater } from "../background/delete_task.ts";
import { serverDraft } from "../context/drafts.ts";
import type { Deadlines } from "../background/deadlines.ts";
import type { Deliverer } from "../background/webhooks/deliverer.ts";
import type { BackgroundJobs } from "./background_jobs.ts";
import type { HookCaller } from "./hook_caller.ts";
import { newIncarnation, newLeaseSecret } from "../context/incarnation.ts";
import { refusalError, taskNotFound, taskReplaced } from "../context/refusals.ts";
import { KnownTraces } from "./known_traces.ts";

/** Changes tasks: commits, and starts the work that follows from them. */
export class Writer {
  readonly counts = { tasksCreated: 0, tasksEnded: 0, leasesLost: 0, eventsStored: 0, commits: 0 };
  readonly #context: EngineContext;
  readonly #hooks: HookCaller;
  readonly #traces = new KnownTraces();
  readonly #deadlines: Deadlines;
  readonly #cleaner: Cleaner;
  readonly #archiver?: Archiver;
  readonly #deliverer?: Deliverer;

  constructor(context: EngineContext, hooks: HookCaller, jobs: BackgroundJobs) {
    this.#context = context;
    this.#hooks = hooks;
    this.#deadlines = jobs.deadlines;
    this.#cleaner = jobs.cleaner;
    this.#archiver = jobs.archiver;
    this.#deliverer = jobs.deliverer;
  }

  /** Creates a task, or returns the one that a repeated call created. */
  async create(input: CreateTaskInput, options: CreateOptions = {}): Promise<Created> {
    const { idempotency, ifExists } = options;
    if (idempotency === undefined && ifExists === undefined) {
      return { task: await this.#create(input, options), isReplay: false };
    }
    const hash = idempotency && await inputHash(input);
    const id = idempotency === undefined
      ? input.id
      : await keyedId(idempotency.caller ?? "", idempotency.key);
    try {
      const task = await this.#create({ ...input, id }, { ...options, inputHash: hash });
      return { task, isReplay: false };
    } catch (error) {
      if (!(error instanceof TaskcastError && error.code === "TASK_EXISTS")) throw error;
      const record = (await this.#context.reader.getTask(id!))?.record;
      if (record === undefined) throw error;
      if (hash !== undefined && record.inputHash !== hash) throw idempotencyConflict();
      const { lease } = record;
      const task = copyOf(record.task);
      return {
        task: lease === undefined || hash === undefined ? task : { ...task, lease },
        isReplay: true,
      };
    }
  }

  async #create(
    input: CreateTaskInput,
    { traceparent, inputHash }: CreateOptions & { inputHash?: string },
  ): Promise<LeasedTask> {
    const { clock } = this.#context;
    const isConfirmed = input.id === undefined || await this.#confirm(input.id);
    const nowMs = clock.now();
    const identity = { id: input.id ?? ulid(nowMs), incarnation: newIncarnation() };
    const created = newRecord(input, identity, nowMs);
    const record = input.lease === undefined
      ? created
      : grantLease(created, input.lease, newLeaseSecret(), nowMs);
    const leaseDueMs = input.lease && nowMs + input.lease.ms;
    if (!isConfirmed) record.unconfirmed = true;
    if (inputHash !== undefined) record.inputHash = inputHash;
    if (this.#deliverer !== undefined && this.#deliverer.hooksOf(input).length > 0) {
      record.hooked = true;
    }
    if (traceparent !== undefined && parseTraceparent(traceparent) !== undefined) {
      record.traceparent = traceparent;
    }
    const change = { record, leaseDueMs };
    const result = await this.#commit(record.task.id, "absent", nowMs, NO_EVENTS, { change });
    if (!result.ok) throw refusalError(record.task.id, result.refusal);
    this.#traces.set(record.task.id, record.traceparent);
    this.#hooks.created(record.task);
    return { ...copyOf(record.task), ...grantedLease(change) };
  }

  /**
   * Checks that an id is new, and asks the archive if the short-term store alone cannot know.
   *
   * @returns Whether the id is confirmed to be new; `false` if the archive cannot be reached.
   */
  async #confirm(id: string): Promise<boolean> {
    const { access, store, clock } = this.#context;
    // A store that loses data over a restart cannot tell whether an id was used before.
    if (access === undefined || (store.durable && isFreshUlid(id, clock.now()))) return true;
    const found = await access.ask((archive) => archive.getTask(id));
    if (found?.answer !== undefined) throw refusalError(id, { code: "EXISTS" });
    return found !== undefined;
  }

  append(
    taskId: string,
    drafts: readonly EventDraft[],
    expected: WriteExpectation = {},
  ): Promise<StoredEvent[]> {
    const { tracer } = this.#context;
    if (tracer.isTracing?.() === false) return this.#append(taskId, drafts, expected);
    const attributes = { "taskcast.task.id": taskId, "taskcast.events": drafts.length };
    return tracer.trace({ name: "taskcast publish", parent: "active", attributes }, (span) => {
      const created = this.#traces.get(taskId);
      if (created !== undefined) span.link(created);
      return this.#append(taskId, drafts, expected);
    });
  }

  async #append(
    taskId: string,
    drafts: readonly EventDraft[],
    { incarnation, lease }: WriteExpectation,
  ): Promise<StoredEvent[]> {
    const expect = incarnation === undefined ? "live" : { live: true, incarnation } as const;
    const nowMs = this.#context.clock.now();
    const result = await this.#commit(taskId, expect, nowMs, drafts, { lease });
    if (result.ok) return result.events;
    throw refusalError(taskId, await this.#refusalOf(taskId, result.refusal, incarnation));
  }

  async delete(taskId: string, incarnation?: string): Promise<Deletion> {
    this.#traces.set(taskId, undefined);
    const deletion = await deleteNowOrLater(this.#context, taskId, incarnation);
    if (deletion === "pending") this.#archiver?.expect(this.#context.clock.now());
    if (deletion !== undefined) return deletion;
    const isReplaced = incarnation !== undefined &&
      await this.#context.reader.getTask(taskId) !== undefined;
    throw isReplaced ? taskReplaced(taskId) : taskNotFound(taskId);
  }

  /**
   * Reads a task, applies a rule, and commits the result. Repeats that if the task changed meanwhile, as
   * long as its incarnation is the same.
   *
   * @param options.leaseBy Changes the task only if its lease has expired by then; otherwise throws
   *   {@linkcode NotDue}.
   */
  async change(
    taskId: string,
    rule: (record: TaskRecord, nowMs: number) => Change,
    { parent = "active", ...expected }: {
      /** @default the current one */
      incarnation?: string;
      leaseBy?: number;
      parent?: TracedWork["parent"];
    } = {},
  ): Promise<Change> {
    const attributes = { "taskcast.task.id": taskId };
    return await this.#context.tracer.trace(
      { name: "taskcast transition", parent, attributes },
      (span) => this.#change(taskId, rule, expected, span),
    );
  }

  async #change(
    taskId: string,
    rule: (record: TaskRecord, nowMs: number) => Change,
    { incarnation: expected, leaseBy }: { incarnation?: string; leaseBy?: number },
    span: WorkSpan,
  ): Promise<Change> {
    for (;;) {
      const head = await this.#context.reader.getTask(taskId);
      if (head === undefined) throw taskNotFound(taskId);
      const { version, incarnation, task: { status: from } } = head.record;
      expected ??= incarnation;
      if (incarnation !== expected) throw taskReplaced(taskId);
      const nowMs = this.#context.clock.now();
      const change = rule(head.record, nowMs);
      const { record, events } = change;
      const result = await this.#commit(
        taskId,
        { version, incarnation, leaseBy },
        nowMs,
        events.map(serverDraft),
        { change },
      );
      if (result.ok) {
        if (record.traceparent !== undefined) span.link(record.traceparent);
        this.#traces.set(taskId, isTerminal(record.task.status) ? undefined : record.traceparent);
        if (record.task.status !== from) this.#hooks.transitioned(record.task, from);
        return change;
      }
      if (result.refusal.code === "NOT_DUE") throw new NotDue();
      await this.#assertHot(taskId, result.refusal);
      // Another change was first. The loop makes progress, because each conflict is another's success.
      if (result.refusal.code !== "CONFLICT") throw refusalError(taskId, result.refusal);
    }
  }

  /**
   * Requires that a refusal was not caused by a loss in the short-term store, from which the task is being
   * restored.
   *
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  async #assertHot(taskId: string, { code }: Refusal): Promise<void> {
    const { store, archive } = this.#context;
    if (archive === undefined || (code !== "ABSENT" && code !== "CONFLICT")) return;
    const head = await store.getTask(taskId);
    if (head === undefined ? code === "ABSENT" : isRefilling(head.record.incarnation)) {
      // The task existed a moment ago, so it was deleted or is only in the archive.
      const cold = await archive.getTask(taskId);
      if (cold !== undefined && !isTerminal(cold.record.task.status)) throw this.#lost(taskId);
    }
  }

  /** Starts to restore a live task that only the archive has, and returns the error for the caller. */
  #lost(taskId: string): TaskcastError {
    this.#archiver?.restoreLost(taskId);
    return new TaskcastError(
      "STORE_UNAVAILABLE",
      `Cannot change task "${taskId}": the short-term store lost it, and it is being brought back ` +
        "from the archive; try again",
    );
  }

  /** Commits, counts the commit, schedules the work that it scheduled, and wakes readers. */
  async #commit(
    taskId: string,
    expect: Commit["expect"],
    nowMs: number,
    events: readonly EventDraft[],
    { change, lease }: { change?: Pick<Change, "record" | "leaseDueMs">; lease?: string },
  ): Promise<CommitResult> {
    const { limits, store, options, observers } = this.#context;
    const record = change?.record;
    const commit: Commit = {
      taskId,
      expect,
      nowMs,
      events,
      record,
      due: change && dueTimes(change.record, change.leaseDueMs),
      maxEvents: limits.maxEventsPerTask,
      maxBytes: limits.maxBytesPerTask,
      schedule: {
        archive: this.#archiver && nowMs + options.archiveDelayMs,
        deliver: nowMs,
        clean: record && this.#cleanAtMs(record),
      },
    };
    if (lease !== undefined) commit.lease = lease;
    const startMs = observers.isEmpty ? undefined : performance.now();
    let result: CommitResult;
    try {
      result = await store.commit(commit);
    } catch (error) {
      this.#observe(commit, undefined, startMs);
      throw error;
    }
    this.#observe(commit, result, startMs);
    if (!result.ok) return result;
    this.#expectWork(commit, result.hooked);
    const { from, length } = result;
    const ended = record !== undefined && isTerminal(record.task.status);
    this.counts.commits++;
    this.counts.eventsStored += length - from;
    if (expect === "absent") this.counts.tasksCreated++;
    if (ended) this.counts.tasksEnded++;
    if (from < length && (result.unannounced || store.announcesOn !== this.#context.broadcast)) {
      const announced = this.#announce(
        ended ? { taskId, from, length, ended } : { taskId, from, length },
      );
      if (announced !== undefined) await announced;
    }
    return result;
  }

  /** Returns when clean-up rules apply to an ended task. With an archive, the archive schedules that. */
  #cleanAtMs({ task }: TaskRecord): number | undefined {
    const { archive, cleanupRules } = this.#context;
    if (archive !== undefined || !isTerminal(task.status)) return undefined;
    return nextCleanup(rulesOf(cleanupRules, task), task);
  }

  /** Schedules the work that a commit has scheduled. */
  #expectWork({ nowMs, due, schedule }: Commit, hooked: true | undefined): void {
    if (schedule?.archive !== undefined) this.#archiver?.expect(schedule.archive);
    if (schedule?.clean !== undefined) this.#cleaner.expect(schedule.clean);
    if (hooked) this.#deliverer?.expect(nowMs);
    if (due?.deadline !== undefined) this.#deadlines.expect(due.deadline);
    if (due?.wake !== undefined) this.#deadlines.expect(due.wake);
    if (typeof due?.lease === "number") this.#deadlines.expect(due.lease);
  }

  /** Reports a commit to observers, if there were any when it began. */
  #observe(
    { record }: Commit,
    result: CommitResult | undefined,
    startMs: number | undefined,
  ): void {
    if (startMs === undefined) return;
    const observed: ObservedCommit = {
      outcome: result === undefined ? "ERROR" : result.ok ? "ok" : result.refusal.code,
      durationMs: performance.now() - startMs,
      // Events that come with a record are the server's own.
      published: result?.ok && record === undefined ? result.length - result.from : 0,
    };
    if (result?.ok && record !== undefined && isTerminal(record.task.status)) {
      observed.ended = record.task.status;
    }
    this.#context.observers.notifyCommit(observed);
  }

  /**
   * Returns the refusal that the caller gets. A task that only the archive has is not absent but has ended;
   * a task with a pending deletion is absent.
   */
  async #refusalOf(
    taskId: string,
    refusal: Refusal,
    expected: string | undefined,
  ): Promise<Refusal> {
    const { access, store } = this.#context;
    if (access === undefined) return refusal;
    if (refusal.code === "TERMINAL" || refusal.code === "REPLACED") {
      const current = (await store.getTask(taskId))?.record.incarnation ?? "";
      if (isRefilling(current)) throw this.#lost(taskId);
      const isDeleted = isPendingDeletion(current) && refusal.code === "TERMINAL";
      return isDeleted ? { code: "ABSENT" } : refusal;
    }
    if (refusal.code !== "ABSENT") return refusal;
    const found = await access.ask((archive) => archive.getTask(taskId));
    if (found === undefined) {
      throw new ArchiveAway(
        `Cannot publish to task "${taskId}": it is not in the short-term store, and the archive ` +
          "cannot be reached",
      );
    }
    const record = found.answer?.record;
    if (record === undefined) return refusal;
    if (expected !== undefined && record.incarnation !== expected) return { code: "REPLACED" };
    const { status } = record.task;
    if (!isTerminal(status)) throw this.#lost(taskId);
    return { code: "TERMINAL", status };
  }

  // The commit is already stored, so a failed wake-up costs readers a poll and is no error for the caller.
  // Most providers return nothing to wait for, and then no promise is made.
  #announce(signal: Signal): Promise<void> | undefined {
    const failed = (error: unknown) =>
      this.#context.report(error, { operation: "broadcast", taskId: signal.taskId });
    try {
      const published = this.#context.broadcast.publish(signal);
      // A provider without static types may return any thenable.
      return published === undefined ? undefined : Promise.resolve(published).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

const NO_EVENTS: readonly EventDraft[] = [];

/** Options of creating a task. */
export interface CreateOptions {
  /** The W3C `traceparent` of the request. */
  traceparent?: string;
  /** With `"return"`, a task that has the id already is returned instead of an error. */
  ifExists?: "return";
  /** Makes the call safe to repeat: the same caller gets the same task for the same key and input. */
  idempotency?: {
    /** 1 to 255 characters. */
    key: string;
    /** Identifies the caller, whose keys are apart from those of others. @default one for all */
    caller?: string;
  };
}

/** A task that was created, or that an earlier call had created. */
export interface Created {
  /** The task. */
  task: LeasedTask;
  /** Set if an earlier call had created it. */
  isReplay: boolean;
}

function idempotencyConflict(): TaskcastError {
  return new TaskcastError(
    "IDEMPOTENCY_CONFLICT",
    "Cannot create a task: the idempotency key was used with another input; use a new key",
  );
}

/** What a write requires of its task. */
export interface WriteExpectation {
  /** @default the current one */
  incarnation?: string;
  /** The token of a lease that the task must have. @default not checked */
  lease?: string;
}

/** Thrown by a rule that has nothing to change, so that nothing is committed. */
export class Unchanged extends TaskcastError {
  readonly record: TaskRecord;

  constructor(record: TaskRecord) {
    super("INVALID_TRANSITION", "There is nothing to change");
    this.record = record;
  }
}

/** Thrown if due work is not due, so that nothing is committed. */
export class NotDue extends TaskcastError {
  constructor() {
    super("INVALID_TRANSITION", "The task is not due");
  }
}

/** Returns the lease of a change for the caller to whom it was granted. */
export function grantedLease(
  { record, leaseDueMs }: Pick<Change, "record" | "leaseDueMs">,
): Pick<LeasedTask, "lease" | "leaseUntil"> {
  return leaseDueMs === undefined ? {} : { lease: record.lease, leaseUntil: leaseDueMs };
}
