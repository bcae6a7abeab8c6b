import type { StoredEvent } from "../../contracts/records.ts";
import type { LogPage } from "../../contracts/task_reader.ts";
import type { WebhookFailure, WebhookSender } from "../../contracts/webhooks.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";
import { dictatedWaitMs } from "../../protocol/timer.ts";
import { backoffMs } from "../../domain/backoff.ts";
import type { EngineContext } from "../../context/context.ts";
import { countBeforeEach, countBeforePage } from "../../readers/count_before.ts";
import type { Delivery, Outcome } from "./attempt.ts";
import { attempt } from "./attempt.ts";
import type { HookState } from "./hook_state.ts";
import { delivered, exhausted, noteOf, parseState, postponed, rangeOf } from "./hook_state.ts";
import { skipped, stateText } from "./hook_state.ts";
import type { TaskHook } from "./hooks_of.ts";
import { shownUrl } from "./hooks_of.ts";
import type { OriginSlots } from "./origin_slots.ts";

/** Events read at a time. */
const PAGE_EVENTS = 64;

/** Milliseconds for one task at a time; then others get their turn. */
const TURN_MS = 5_000;

/** Milliseconds until a slot of the receiver may be free. */
const BUSY_MS = 100;

/** Milliseconds after which an instance checks again that it still holds the delivery. */
const RECHECK_MS = 100;

/** Number of events without a match after which a webhook's position is saved. */
const MAX_UNSAVED_SKIPS = 1_000;

/** The progress of a webhook. */
export type HookProgress =
  /** Everything in a log of this length has been delivered or has failed. */
  | { through: number }
  /** There is more to deliver, but not before this time. */
  | { nextAtMs: number }
  /** The task is gone, or another instance delivers to this webhook. */
  | "elsewhere";

/** The services and counters that all deliveries of an instance share. */
export interface DeliveryContext {
  readonly sender: WebhookSender;
  readonly slots: OriginSlots;
  readonly counts: {
    delivered: number;
    attemptsFailed: number;
    givenUp: number;
    underWay: number;
  };
  /** Aborts when the deliverer closes. */
  readonly closing: AbortSignal;
  /** Notifies the host that a delivery failed after all retries. */
  failed(task: Task, failure: WebhookFailure): void;
}

/** One turn of deliveries for a claimed task. */
export interface DeliveryTurn {
  context: EngineContext;
  shared: DeliveryContext;
  task: Task;
  incarnation: string;
  /** The trace in which the task was created. */
  traceparent?: string;
  /**
   * Extends the claim on the task before work that may take `forMs` milliseconds.
   *
   * @returns Whether the claim was still held; it may have expired while the process was frozen.
   */
  renew(forMs: number): Promise<boolean>;
}

/** Delivers the pending events of a webhook in order, until an obstacle or the end of the turn. */
export async function deliverHook(
  turn: DeliveryTurn,
  hook: TaskHook,
  note: string | undefined,
): Promise<HookProgress> {
  const { context: { reader, clock }, shared, task: { id: taskId }, incarnation } = turn;
  const endMs = clock.now() + TURN_MS;
  const notes = new HookNote(turn, hook.name, note);
  for (;;) {
    const { from, through } = rangeOf(notes.state);
    const page = await reader.readLog(taskId, {
      after: from - 1,
      through,
      limit: PAGE_EVENTS,
      filter: hook.filter,
    });
    if (page === undefined || page.incarnation !== incarnation) return "elsewhere";
    const isAgain = notes.state.again !== undefined;
    const ranks = await ranksOf(turn, hook, page, isAgain ? undefined : notes.state.count);
    for (const [i, event] of page.events.entries()) {
      const nowMs = clock.now();
      if ((notes.state.atMs ?? 0) > nowMs) return { nextAtMs: notes.state.atMs! };
      if (nowMs > endMs || shared.closing.aborted) return { nextAtMs: nowMs };
      const releaseSlot = shared.slots.acquire(hook.url);
      if (releaseSlot === undefined) return { nextAtMs: nowMs + BUSY_MS };
      let next: HookState;
      try {
        const isHeld = await turn.renew(hook.retry.timeoutMs) && await notes.hold();
        if (!isHeld) return "elsewhere";
        const rank = ranks[i]!;
        const state = isAgain ? notes.state : { ...notes.state, count: rank };
        next = await deliverEvent(turn, hook, state, event, rank);
      } finally {
        releaseSlot();
      }
      // An attempt that closing aborted says nothing about the receiver.
      if (shared.closing.aborted && next.attempts !== undefined) return { nextAtMs: nowMs };
      if (!await notes.write(next)) return "elsewhere";
      if (next.atMs !== undefined) return { nextAtMs: next.atMs };
    }
    const next = Math.max(from, page.scannedTo + 1);
    if (isAgain || next - notes.state.next > MAX_UNSAVED_SKIPS) {
      if (!await notes.write(skipped(notes.state, next))) return "elsewhere";
    }
    if (!isAgain && next >= page.length) {
      // Before an ended task is released, this note must show that the webhook has everything.
      const isEnd = isTerminal(page.status) && notes.state.next < page.length;
      if ((isEnd || notes.isNew) && !await notes.write(skipped(notes.state, next))) {
        return "elsewhere";
      }
      return { through: page.length };
    }
  }
}

/** Returns the `filteredIndex` of each event of a page. `first` is that of the first event, if known. */
async function ranksOf(
  { context: { reader }, task: { id } }: DeliveryTurn,
  { filter = {} }: TaskHook,
  page: LogPage,
  first: number | undefined,
): Promise<number[]> {
  if (first !== undefined) return await countBeforePage(reader, id, filter, page, first);
  return await countBeforeEach(reader, id, filter, page.events.map(({ index }) => index));
}

/** The note that stores the state of a webhook with its task. */
class HookNote {
  state: HookState;
  readonly #turn: DeliveryTurn;
  readonly #name: string;
  /** Identifies this turn in the note, so that an earlier turn of another instance finds the note changed. */
  readonly #holder = crypto.randomUUID().slice(0, 8);
  #text: string | undefined;
  /** The time at which the store last confirmed that the note is unchanged. */
  #heldAtMs = -Infinity;

  constructor(turn: DeliveryTurn, hook: string, text: string | undefined) {
    this.#turn = turn;
    this.#name = noteOf(hook);
    this.#text = text;
    this.state = parseState(text);
  }

  get isNew(): boolean {
    return this.#text === undefined;
  }

  /**
   * Checks directly before an attempt that this instance still delivers to this webhook. If the process was
   * frozen for longer than its claim, another instance has continued, and an old event would arrive after
   * newer ones.
   */
  async hold(): Promise<boolean> {
    const { context: { store, clock }, task: { id }, incarnation } = this.#turn;
    const nowMs = clock.now();
    if (this.state.holder !== this.#holder) {
      return await this.write({ ...this.state, holder: this.#holder });
    }
    if (nowMs - this.#heldAtMs <= RECHECK_MS) return true;
    const notes = await store.readNotes(id, incarnation);
    if (notes?.[this.#name] !== this.#text) return false;
    this.#heldAtMs = nowMs;
    return true;
  }

  /** Writes the note. Returns `false` if another instance changed it meanwhile. */
  async write(state: HookState): Promise<boolean> {
    const { context: { store, clock }, task: { id }, incarnation } = this.#turn;
    const nowMs = clock.now();
    const to = stateText(state);
    const change = { from: this.#text, to };
    if (!await store.writeNote(id, incarnation, this.#name, change)) return false;
    this.#heldAtMs = nowMs;
    this.#text = to;
    this.state = state;
    return true;
  }
}

/** Makes an attempt within the trace in which the task was created. */
function tracedAttempt(
  { context: { clock, tracer }, shared, traceparent }: DeliveryTurn,
  delivery: Omit<Delivery, "traceparent">,
): Promise<Outcome> {
  const { taskId, hook, event } = delivery;
  const attributes = {
    "taskcast.task.id": taskId,
    "taskcast.webhook": hook.name,
    "taskcast.event.index": event.index,
    "taskcast.event.type": event.type,
  };
  const work = { name: "taskcast webhook", isCall: true, parent: { traceparent }, attributes };
  return tracer.trace(work, async (span) => {
    const outcome = await attempt(
      shared.sender,
      { ...delivery, traceparent: span.traceparent ?? traceparent },
      { clock, signal: shared.closing },
    );
    if (!outcome.ok) span.fail(outcome.error);
    return outcome;
  });
}

/** Sends an event once. Returns the next state of the webhook. */
async function deliverEvent(
  turn: DeliveryTurn,
  hook: TaskHook,
  state: HookState,
  event: StoredEvent,
  filteredIndex: number,
): Promise<HookState> {
  const { context: { clock, store }, shared, task, incarnation } = turn;
  const { name, url, retry } = hook;
  const { index, type } = event;
  const delivery = { taskId: task.id, hook, event, filteredIndex };
  const startMs = performance.now();
  shared.counts.underWay++;
  const outcome = await tracedAttempt(turn, delivery);
  shared.counts.underWay--;
  const durationMs = performance.now() - startMs;
  turn.context.observers.notify("onWebhookAttempt", { ok: outcome.ok, durationMs });
  if (outcome.ok) {
    shared.counts.delivered++;
    return delivered(state, index);
  }
  if (shared.closing.aborted) return postponed(state, outcome.error, clock.now());
  shared.counts.attemptsFailed++;
  const { error, retryAfterMs } = outcome;
  const attempts = (state.attempts ?? 0) + 1;
  if (attempts <= retry.retries) {
    const waitMs = backoffMs(attempts, retry, Math.random());
    const delayMs = dictatedWaitMs(waitMs, retryAfterMs, retry.maxDelayMs);
    return postponed(state, error, clock.now() + delayMs);
  }
  shared.counts.givenUp++;
  // Listed first. If this instance dies in between, the list has one entry too many for a moment.
  await store.schedule(task.id, "undelivered", clock.now(), { incarnation });
  shared.failed(task, { hook: name, url: shownUrl(url), index, type, attempts, error });
  return exhausted(state, index, error, clock.now());
}
