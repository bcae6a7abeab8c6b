import type { Signal } from "../contracts/broadcast.ts";
import type { DueKind, EventDraft, StoredEvent, TaskRecord } from "../contracts/records.ts";
import type { Commit, CommitResult, Refusal } from "../contracts/short_term_store.ts";
import type { TracedWork, WorkSpan } from "../contracts/tracer.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { CreateTaskInput, Task } from "../protocol/task.ts";
import { isTerminal } from "../protocol/task.ts";
import { ulid } from "../protocol/ulid.ts";
import type { WorkMarks } from "../contracts/work_queue.ts";
import type { Change } from "../rules/transition.ts";
import { parseTraceparent } from "../rules/traceparent.ts";
import { applyTransition, dueTimes, newRecord } from "../rules/transition.ts";
import { nextCleanup, rulesOf } from "../rules/cleanup.ts";
import type { Archiver } from "./archiver.ts";
import type { Cleaner } from "./cleanup/cleaner.ts";
import type { EngineContext } from "./context.ts";
import { deleteTask } from "./delete_task.ts";
import { serverDraft } from "./drafts.ts";
import type { Deliverer } from "./webhooks/deliverer.ts";
import type { HookCaller } from "./hook_caller.ts";
import { newIncarnation } from "./incarnation.ts";
import { refusalError, taskNotFound } from "./refusals.ts";
import { KnownTraces } from "./known_traces.ts";
import { Scheduler } from "./scheduler.ts";

/** Everything that changes tasks: commits, and what follows from them. */
export class Writer {
  readonly scheduler: Scheduler;
  readonly counts = { tasksCreated: 0, tasksEnded: 0, eventsStored: 0, commits: 0 };
  readonly #context: EngineContext;
  readonly #hooks: HookCaller;
  readonly #traces = new KnownTraces();
  readonly #archiver?: Archiver;
  readonly #cleaner: Cleaner;
  readonly #deliverer?: Deliverer;

  constructor(
    context: EngineContext,
    hooks: HookCaller,
    { archiver, deliverer, cleaner }: {
      archiver?: Archiver;
      deliverer?: Deliverer;
      cleaner: Cleaner;
    },
  ) {
    this.#cleaner = cleaner;
    this.#archiver = archiver;
    this.#deliverer = deliverer;
    this.#context = context;
    this.#hooks = hooks;
    this.scheduler = new Scheduler(context, (kind, taskId) => this.#settle(kind, taskId));
  }

  async create(input: CreateTaskInput, traceparent?: string): Promise<Task> {
    const { clock, archive } = this.#context;
    // An id that was made for it is nobody else's; one that was given may be that of an old task.
    if (input.id !== undefined && await archive?.getTask(input.id) !== undefined) {
      throw refusalError(input.id, { code: "EXISTS" });
    }
    const nowMs = clock.now();
    const identity = { id: input.id ?? ulid(nowMs), incarnation: newIncarnation() };
    const record = newRecord(input, identity, nowMs);
    if (this.#deliverer !== undefined && this.#deliverer.hooksOf(input).length > 0) {
      record.hooked = true;
    }
    if (traceparent !== undefined && parseTraceparent(traceparent) !== undefined) {
      record.traceparent = traceparent;
    }
    const result = await this.#commit(record.task.id, "absent", nowMs, [], record);
    if (!result.ok) throw refusalError(record.task.id, result.refusal);
    this.#traces.set(record.task.id, record.traceparent);
    this.#hooks.created(record.task);
    return structuredClone(record.task);
  }

  async append(taskId: string, drafts: readonly EventDraft[]): Promise<StoredEvent[]> {
    const attributes = { "taskcast.task.id": taskId, "taskcast.events": drafts.length };
    return await this.#context.tracer.trace(
      { name: "taskcast publish", parent: "active", attributes },
      async (span) => {
        const created = this.#traces.get(taskId);
        if (created !== undefined) span.link(created);
        const result = await this.#commit(taskId, "live", this.#context.clock.now(), drafts);
        if (!result.ok) throw refusalError(taskId, await this.#refusalOf(taskId, result.refusal));
        return result.events;
      },
    );
  }

  async delete(taskId: string): Promise<void> {
    this.#traces.set(taskId, undefined);
    if (!await deleteTask(this.#context, taskId)) throw taskNotFound(taskId);
  }

  /** Reads a task, applies a rule, and commits the outcome; again if the task changed meanwhile. */
  async change(
    taskId: string,
    rule: (record: TaskRecord, nowMs: number) => Change,
    parent: TracedWork["parent"] = "active",
  ): Promise<Task> {
    const attributes = { "taskcast.task.id": taskId };
    return await this.#context.tracer.trace(
      { name: "taskcast transition", parent, attributes },
      (span) => this.#change(taskId, rule, span),
    );
  }

  async #change(
    taskId: string,
    rule: (record: TaskRecord, nowMs: number) => Change,
    span: WorkSpan,
  ): Promise<Task> {
    for (;;) {
      const head = await this.#context.reader.getTask(taskId);
      if (head === undefined) throw taskNotFound(taskId);
      const { version, incarnation, task: { status: from } } = head.record;
      const nowMs = this.#context.clock.now();
      const { record, events } = rule(head.record, nowMs);
      const result = await this.#commit(
        taskId,
        { version, incarnation },
        nowMs,
        events.map(serverDraft),
        record,
      );
      if (result.ok) {
        if (record.traceparent !== undefined) span.link(record.traceparent);
        this.#traces.set(taskId, isTerminal(record.task.status) ? undefined : record.traceparent);
        this.#hooks.transitioned(record.task, from);
        return record.task;
      }
      // Somebody else's change came first, so each round means that some change succeeded.
      if (result.refusal.code !== "CONFLICT") throw refusalError(taskId, result.refusal);
    }
  }

  async #commit(
    taskId: string,
    expect: Commit["expect"],
    nowMs: number,
    events: readonly EventDraft[],
    record?: TaskRecord,
  ): Promise<CommitResult> {
    const { maxEventsPerTask: maxEvents, maxBytesPerTask: maxBytes } = this.#context.limits;
    const due = record === undefined ? undefined : dueTimes(record);
    const archiveAtMs = this.#archiver && nowMs + this.#context.options.archiveDelayMs;
    const cleanAtMs = record && this.#cleanAtMs(record);
    const marks: WorkMarks = { archive: archiveAtMs, deliver: nowMs, clean: cleanAtMs };
    const result = await this.#measured(
      {
        taskId,
        expect,
        nowMs,
        events,
        record,
        due,
        maxEvents,
        maxBytes,
        marks,
      },
    );
    if (!result.ok) return result;
    if (archiveAtMs !== undefined) this.#archiver?.expect(archiveAtMs);
    if (cleanAtMs !== undefined) this.#cleaner.expect(cleanAtMs);
    if (result.hooked) this.#deliverer?.expect(nowMs);
    for (const atMs of Object.values(due ?? {})) this.scheduler.expect(atMs);
    const { from, length } = result;
    const ended = record !== undefined && isTerminal(record.task.status);
    this.counts.commits++;
    this.counts.eventsStored += length - from;
    if (expect === "absent") this.counts.tasksCreated++;
    if (ended) this.counts.tasksEnded++;
    const { store, broadcast } = this.#context;
    if (from < length && store.wakes !== broadcast) {
      await this.#announce({ taskId, from, length, ...(ended ? { ended } : {}) });
    }
    return result;
  }

  /** When rules want a task that has ended; what an archive has is marked there. */
  #cleanAtMs({ task }: TaskRecord): number | undefined {
    const { archive, cleanupRules } = this.#context;
    return archive === undefined ? nextCleanup(rulesOf(cleanupRules, task), task) : undefined;
  }

  /** Commits, and tells observers how that went. */
  async #measured(commit: Commit): Promise<CommitResult> {
    const startMs = performance.now();
    let result: CommitResult | undefined;
    try {
      result = await this.#context.store.commit(commit);
      return result;
    } finally {
      const status = commit.record?.task.status;
      this.#context.observers.tell("onCommit", {
        outcome: result === undefined ? "ERROR" : result.ok ? "ok" : result.refusal.code,
        durationMs: performance.now() - startMs,
        // Events with a record are the server's own.
        published: result?.ok && commit.record === undefined ? result.length - result.from : 0,
        ...(result?.ok && status !== undefined && isTerminal(status) ? { ended: status } : {}),
      });
    }
  }

  /** A task that only the archive has is not absent: it has ended. */
  async #refusalOf(taskId: string, refusal: Refusal): Promise<Refusal> {
    if (refusal.code !== "ABSENT") return refusal;
    const status = (await this.#context.archive?.getTask(taskId))?.record.task.status;
    return status !== undefined && isTerminal(status) ? { code: "TERMINAL", status } : refusal;
  }

  // What is stored is stored: a wake-up that fails costs readers a poll, not the caller an error.
  async #announce(signal: Signal): Promise<void> {
    try {
      await this.#context.broadcast.publish(signal);
    } catch (error) {
      this.#context.report(error, { operation: "broadcast", taskId: signal.taskId });
    }
  }

  /** Does due work. Harmless when it was done already: the task is then not due any more. */
  async #settle(kind: DueKind, taskId: string): Promise<void> {
    const rules: Record<DueKind, (record: TaskRecord, nowMs: number) => Change | undefined> = {
      deadline: (record, nowMs) =>
        record.deadlineAt !== undefined && record.deadlineAt <= nowMs
          ? applyTransition(record, "timeout", {
            error: { code: "TTL_EXPIRED", message: `The task's ttl ran out` },
          }, nowMs)
          : undefined,
      wake: (record, nowMs) =>
        record.task.resumeAt !== undefined && record.task.resumeAt <= nowMs
          ? applyTransition(record, "running", {}, nowMs)
          : undefined,
    };
    let lateMs = 0;
    try {
      await this.change(taskId, (record, nowMs) => {
        const change = rules[kind](record, nowMs);
        if (change === undefined) throw new NotDue();
        lateMs = nowMs - (kind === "deadline" ? record.deadlineAt! : record.task.resumeAt!);
        return change;
      }, { traceparent: undefined });
      this.#context.observers.tell("onDueWork", kind, lateMs);
    } catch (error) {
      if (error instanceof NotDue) return;
      if (error instanceof TaskcastError && error.code === "TASK_NOT_FOUND") return;
      throw error;
    }
  }
}

/** The task is not due (any more). */
class NotDue extends TaskcastError {
  constructor() {
    super("INVALID_TRANSITION", "The task is not due");
  }
}
