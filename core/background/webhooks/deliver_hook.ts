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

/** Milliseconds for one task at a time; then others have their turn. */
const TURN_MS = 5_000;

/** Until the receiver may have room. */
const BUSY_MS = 100;

/** Milliseconds after which an instance asks again whether it is still the one that delivers. */
const RECHECK_MS = 100;

/** Events without a match after which a webhook remembers that it looked. */
const MAX_UNSAVED_SKIPS = 1_000;

/** How far a webhook has come. */
export type HookProgress =
  /** Everything of a log that was so long is settled. */
  | { through: number }
  /** There is more, and nothing can be done before this time. */
  | { nextAtMs: number }
  /** The task is gone, or another instance tells this webhook. */
  | "elsewhere";

/** What all deliveries of an instance share. */
export interface DeliveryContext {
  readonly sender: WebhookSender;
  readonly slots: OriginSlots;
  readonly counts: {
    delivered: number;
    attemptsFailed: number;
    givenUp: number;
    underWay: number;
  };
  /** Aborts when nothing is to be sent any more. */
  readonly closing: AbortSignal;
  /** Tells the host that a delivery was given up. */
  failed(task: Task, failure: WebhookFailure): void;
}

/** What delivering needs beside the webhook. */
export interface DeliveryTurn {
  context: EngineContext;
  desk: DeliveryContext;
  task: Task;
  incarnation: string;
  /** The trace in which the task was created. */
  traceparent?: string;
  /**
   * Prolongs the claim on the task, before something that may take so long.
   *
   * @returns Whether the claim was still held; a frozen process may find that it has run out.
   */
  renew(forMs: number): Promise<boolean>;
}

/** Tells a webhook what it has not been told, in order, until something stands in the way. */
export async function deliverHook(
  turn: DeliveryTurn,
  hook: TaskHook,
  note: string | undefined,
): Promise<HookProgress> {
  const { context: { reader, clock }, desk, task: { id: taskId }, incarnation } = turn;
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
    const places = await ranksOf(turn, hook, page, isAgain ? undefined : notes.state.count);
    for (const [i, event] of page.events.entries()) {
      const nowMs = clock.now();
      if ((notes.state.atMs ?? 0) > nowMs) return { nextAtMs: notes.state.atMs! };
      if (nowMs > endMs || desk.closing.aborted) return { nextAtMs: nowMs };
      const giveBack = desk.slots.acquire(hook.url);
      if (giveBack === undefined) return { nextAtMs: nowMs + BUSY_MS };
      let next: HookState;
      try {
        const isHeld = await turn.renew(hook.retry.timeoutMs) && await notes.hold();
        if (!isHeld) return "elsewhere";
        const place = places[i]!;
        const state = isAgain ? notes.state : { ...notes.state, count: place };
        next = await deliverEvent(turn, hook, state, event, place);
      } finally {
        giveBack();
      }
      // An attempt that was cut off by the end of this instance tells nothing of the receiver.
      if (desk.closing.aborted && next.attempts !== undefined) return { nextAtMs: nowMs };
      if (!await notes.write(next)) return "elsewhere";
      if (next.atMs !== undefined) return { nextAtMs: next.atMs };
    }
    const next = Math.max(from, page.scannedTo + 1);
    if (isAgain || next - notes.state.next > MAX_UNSAVED_SKIPS) {
      if (!await notes.write(skipped(notes.state, next))) return "elsewhere";
    }
    if (!isAgain && next >= page.length) {
      // Once the task has ended, who releases it reads here whether the webhook has everything.
      const isEnd = isTerminal(page.status) && notes.state.next < page.length;
      if ((isEnd || notes.isNew) && !await notes.write(skipped(notes.state, next))) {
        return "elsewhere";
      }
      return { through: page.length };
    }
  }
}

/** The `filteredIndex` of each event of a page, given that of the first if that is known. */
async function ranksOf(
  { context: { reader }, task: { id } }: DeliveryTurn,
  { filter = {} }: TaskHook,
  page: LogPage,
  first: number | undefined,
): Promise<number[]> {
  if (first !== undefined) return await countBeforePage(reader, id, filter, page, first);
  return await countBeforeEach(reader, id, filter, page.events.map(({ index }) => index));
}

/** The state of a webhook, as it is kept with the task. */
class HookNote {
  state: HookState;
  readonly #turn: DeliveryTurn;
  readonly #name: string;
  /** Names this turn in the note, so that an earlier turn of another instance finds it changed. */
  readonly #holder = crypto.randomUUID().slice(0, 8);
  #text: string | undefined;
  /** When the store last said that the note is as this instance left it. */
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
   * Asks, directly before an attempt, whether this instance still delivers this webhook. If it was
   * frozen for longer than its claim, another one has gone on, and an old event would come after
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

  /** Whether nobody else changed it meanwhile. */
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

/** An attempt as a part of the trace in which the task was created. */
function tracedAttempt(
  { context: { clock, tracer }, desk, traceparent }: DeliveryTurn,
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
      desk.sender,
      { ...delivery, traceparent: span.traceparent ?? traceparent },
      { clock, signal: desk.closing },
    );
    if (!outcome.ok) span.fail(outcome.error);
    return outcome;
  });
}

/** Sends an event once. Returns what follows. */
async function deliverEvent(
  turn: DeliveryTurn,
  hook: TaskHook,
  state: HookState,
  event: StoredEvent,
  filteredIndex: number,
): Promise<HookState> {
  const { context: { clock, store }, desk, task, incarnation } = turn;
  const { name, url, retry } = hook;
  const { index, type } = event;
  const delivery = { taskId: task.id, hook, event, filteredIndex };
  const startMs = performance.now();
  desk.counts.underWay++;
  const outcome = await tracedAttempt(turn, delivery);
  desk.counts.underWay--;
  const durationMs = performance.now() - startMs;
  turn.context.observers.tell("onWebhookAttempt", { ok: outcome.ok, durationMs });
  if (outcome.ok) {
    desk.counts.delivered++;
    return delivered(state, index);
  }
  if (desk.closing.aborted) return postponed(state, outcome.error, clock.now());
  desk.counts.attemptsFailed++;
  const { error, retryAfterMs } = outcome;
  const attempts = (state.attempts ?? 0) + 1;
  if (attempts <= retry.retries) {
    const waitMs = backoffMs(attempts, retry, Math.random());
    const delayMs = dictatedWaitMs(waitMs, retryAfterMs, retry.maxDelayMs);
    return postponed(state, error, clock.now() + delayMs);
  }
  desk.counts.givenUp++;
  // Listed first: should this instance die in between, the list has one too many for a moment.
  await store.mark(task.id, "undelivered", clock.now(), { incarnation });
  desk.failed(task, { hook: name, url: shownUrl(url), index, type, attempts, error });
  return exhausted(state, index, error, clock.now());
}
