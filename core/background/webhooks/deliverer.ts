import type { WebhookFailure, WebhookOptions, WebhookSender } from "../../contracts/webhooks.ts";
import type { TaskHead } from "../../contracts/records.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";
import { isPendingDeletion } from "../../domain/retention/pending_deletion.ts";
import type { EngineContext } from "../../context/context.ts";
import { areUsable } from "../each_alone.ts";
import type { Round } from "../job.ts";
import { Job } from "../job.ts";
import { SetAside } from "../set_aside.ts";
import type { DeliveryContext, DeliveryTurn, HookProgress } from "./deliver_hook.ts";
import { deliverHook } from "./deliver_hook.ts";
import { noteOf } from "./hook_state.ts";
import type { TaskHook } from "./hooks_of.ts";
import { hooksOf } from "./hooks_of.ts";
import { OriginSlots } from "./origin_slots.ts";

/** Maximum number of tasks with deliveries in progress. */
const MAX_TASKS = 256;

/** Tasks claimed at a time. */
const CLAIM_TASKS = 64;

/** Milliseconds after which a claim that is not renewed passes to another instance. */
const LEASE_MS = 10_000;

/** Milliseconds between checks for new events of a task while one of its webhooks waits. */
const OTHERS_MS = 1_000;

/**
 * Delivers the events of tasks to their webhooks. A webhook is a position in the log that the store keeps, and
 * each commit schedules its task. The instance that claims the task continues at that position, in order. An
 * event that was delivered is sent again only if the instance died before it could record the success.
 */
export class Deliverer implements DeliveryContext {
  readonly counts = { delivered: 0, attemptsFailed: 0, givenUp: 0, underWay: 0 };
  readonly slots: OriginSlots = new OriginSlots();
  readonly #failed: (task: Task, failure: WebhookFailure) => void;
  readonly #context: EngineContext;
  readonly #options: WebhookOptions;
  readonly #job: Job;
  /** Tasks whose deliveries fail for internal reasons while those of others succeed. */
  readonly setAside: SetAside;
  readonly #active = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(
    context: EngineContext,
    options: WebhookOptions,
    failed: (task: Task, failure: WebhookFailure) => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#failed = failed;
    this.setAside = new SetAside(context, "webhooks");
    this.#job = new Job(context, { operation: "webhooks", round: () => this.#round() });
  }

  get sender(): WebhookSender {
    return this.#options.sender;
  }

  /** Aborts when the deliverer closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  failed(task: Task, failure: WebhookFailure): void {
    this.#failed(task, failure);
  }

  /** Returns the webhooks of a task: its own and the server's. */
  hooksOf(task: Pick<Task, "type" | "webhooks">): TaskHook[] {
    return hooksOf(task, this.#options.hooks ?? [], this.#options.defaultRetry);
  }

  /** Starts with work that other instances left, and then runs as needed. */
  start(): void {
    void this.#job.run();
  }

  /** Schedules a round at the time for which a commit scheduled a task. */
  expect(atMs: number): void {
    this.#job.expect(atMs);
  }

  /** Does what is due now. Resolves when it is done. */
  async run(): Promise<void> {
    await this.#job.run();
    while (this.#active.size > 0) {
      await Promise.all(this.#active);
      await this.#job.run();
    }
  }

  /** Stops. Attempts in progress are aborted; another instance repeats them. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#job.close();
    await Promise.all(this.#active);
  }

  async #round(): Promise<Round> {
    const { store, clock } = this.#context;
    const room = Math.min(CLAIM_TASKS, MAX_TASKS - this.#active.size);
    if (room <= 0) return { again: false }; // The first task to finish starts another round.
    const nowMs = clock.now();
    const { taskIds, nextAtMs } = await store.claim("deliver", {
      nowMs,
      untilMs: nowMs + LEASE_MS,
      limit: room,
    });
    for (const taskId of taskIds) {
      if (!this.setAside.isWaiting(taskId)) this.#begin(taskId, nowMs + LEASE_MS);
    }
    return { again: taskIds.length === room && this.#active.size < MAX_TASKS, nextAtMs };
  }

  /** Starts the deliveries of a task. They are not awaited, so a slow task does not delay others. */
  #begin(taskId: string, untilMs: number): void {
    const isFull = this.#active.size >= MAX_TASKS - 1;
    const work = this.#deliver(taskId, untilMs)
      .then(() => this.setAside.succeeded(taskId), (error) => this.#setAside(taskId, error))
      .finally(() => {
        this.#active.delete(work);
        if (isFull && !this.closing.aborted) void this.#job.run();
      });
    this.#active.add(work);
  }

  /** Postpones a task. If that fails too, its lease expires instead. */
  async #setAside(taskId: string, error: unknown): Promise<void> {
    const { store, clock, report } = this.#context;
    if (!await areUsable(clock, store)) return report(error, { operation: "webhooks", taskId });
    const retryAtMs = this.setAside.failed(taskId, error);
    try {
      const head = await store.getTask(taskId);
      if (head === undefined) return;
      const { incarnation } = head.record;
      await store.schedule(taskId, "deliver", retryAtMs, { incarnation });
      this.expect(retryAtMs);
    } catch {
      // The failure itself has been reported already.
    }
  }

  async #deliver(taskId: string, untilMs: number): Promise<void> {
    const { store } = this.#context;
    const head = await store.getTask(taskId);
    if (head === undefined) return;
    const { task, incarnation, traceparent } = head.record;
    if (isPendingDeletion(incarnation)) {
      await store.schedule(taskId, "deliver", undefined, { incarnation });
      return;
    }
    const notes = await store.readNotes(taskId, incarnation);
    if (notes === undefined) return;
    const hooks = this.hooksOf(task);
    const turn: DeliveryTurn = {
      context: this.#context,
      shared: this,
      task,
      incarnation,
      traceparent,
      renew: async (forMs) => {
        const nowMs = this.#context.clock.now();
        if (nowMs >= untilMs) return false;
        if (untilMs - nowMs > forMs + LEASE_MS / 4) return true;
        untilMs = nowMs + forMs + LEASE_MS;
        return await store.schedule(taskId, "deliver", untilMs, { incarnation });
      },
    };
    const progress = await Promise.all(
      hooks.map((hook) => deliverHook(turn, hook, notes[noteOf(hook.name)])),
    );
    await this.#scheduleNext(head, progress);
  }

  /** Schedules the next deliveries of a task. */
  async #scheduleNext(
    { record, length }: TaskHead,
    progress: readonly HookProgress[],
  ): Promise<void> {
    const { store, clock } = this.#context;
    const { task: { id, status }, incarnation } = record;
    if (progress.includes("elsewhere")) return;
    const nowMs = clock.now();
    let nextAtMs = nowMs;
    const waits = progress.flatMap((one) =>
      typeof one === "object" && "nextAtMs" in one ? one.nextAtMs : []
    );
    if (waits.length > 0) {
      nextAtMs = Math.min(...waits);
      // Webhooks that do not wait get the events that arrive meanwhile.
      if (progress.length > 1 && !isTerminal(status)) {
        nextAtMs = Math.min(nextAtMs, nowMs + OTHERS_MS);
      }
    } else {
      const ends = progress.map((one) => (one as { through: number }).through);
      const end = Math.max(length, ...ends);
      const isDone = ends.every((through) => through === end) &&
        await store.schedule(id, "deliver", undefined, { incarnation, length: end });
      if (isDone) return;
    }
    await store.schedule(id, "deliver", nextAtMs, { incarnation });
    this.expect(nextAtMs);
  }
}
