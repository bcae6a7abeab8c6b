import type { StoredEvent } from "../../contracts/records.ts";
import type { LogPage } from "../../contracts/task_reader.ts";
import type { WebhookFailure, WebhookSender } from "../../contracts/webhooks.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/task.ts";
import { backoffMs } from "../../rules/backoff.ts";
import type { EngineContext } from "../context.ts";
import { ranks, ranksOfPage } from "../ranks.ts";
import type { Delivery, Outcome } from "./attempt.ts";
import { attempt } from "./attempt.ts";
import type { HookState } from "./hook_state.ts";
import { delivered, givenUp, noteOf, parseState, postponed, rangeOf } from "./hook_state.ts";
import { skipped, stateText } from "./hook_state.ts";
import type { TaskHook } from "./hooks_of.ts";
import { shownUrl } from "./hooks_of.ts";
import type { OriginSlots } from "./origin_slots.ts";

/** Events read at a time. */
const PAGE = 64;

/** Milliseconds for one task at a time; then others have their turn. */
const TURN_MS = 5_000;

/** Until the receiver may have room. */
const BUSY_MS = 100;

/** Events without a match after which a webhook remembers that it looked. */
const REMEMBER_SKIPPED = 1_000;

/** How far a webhook has come. */
export type Progress =
  /** Everything of a log that was so long is settled. */
  | { through: number }
  /** There is more, and nothing can be done before this time. */
  | { nextAtMs: number }
  /** The task is gone, or another instance tells this webhook. */
  | "elsewhere";

/** What all deliveries of an instance share. */
export interface Desk {
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
export interface Turn {
  context: EngineContext;
  desk: Desk;
  task: Task;
  incarnation: string;
  /** The trace in which the task was created. */
  traceparent?: string;
  /** Says that this instance is still at it, before something that may take so long. */
  renew(forMs: number): Promise<void>;
}

/** Tells a webhook what it has not been told, in order, until something stands in the way. */
export async function deliverHook(
  turn: Turn,
  hook: TaskHook,
  note: string | undefined,
): Promise<Progress> {
  const { context: { reader, clock }, desk, task: { id: taskId }, incarnation } = turn;
  const endMs = clock.now() + TURN_MS;
  const notes = new Note(turn, hook.name, note);
  for (;;) {
    const { from, through } = rangeOf(notes.state);
    const page = await reader.readLog(taskId, {
      after: from - 1,
      through,
      limit: PAGE,
      filter: hook.filter,
    });
    if (page === undefined || page.incarnation !== incarnation) return "elsewhere";
    const isAgain = notes.state.again !== undefined;
    const places = await placesOf(turn, hook, page, isAgain ? undefined : notes.state.count);
    for (const [i, event] of page.events.entries()) {
      const nowMs = clock.now();
      if ((notes.state.atMs ?? 0) > nowMs) return { nextAtMs: notes.state.atMs! };
      if (nowMs > endMs || desk.closing.aborted) return { nextAtMs: nowMs };
      const giveBack = desk.slots.take(hook.url);
      if (giveBack === undefined) return { nextAtMs: nowMs + BUSY_MS };
      let next: HookState;
      try {
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
    if (isAgain || next - notes.state.next > REMEMBER_SKIPPED) {
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
async function placesOf(
  { context: { reader }, task: { id } }: Turn,
  { filter = {} }: TaskHook,
  page: LogPage,
  first: number | undefined,
): Promise<number[]> {
  if (first !== undefined) return await ranksOfPage(reader, id, filter, page, first);
  return await ranks(reader, id, filter, page.events.map(({ index }) => index));
}

/** The state of a webhook, as it is kept with the task. */
class Note {
  state: HookState;
  readonly #turn: Turn;
  readonly #name: string;
  #text: string | undefined;

  constructor(turn: Turn, hook: string, text: string | undefined) {
    this.#turn = turn;
    this.#name = noteOf(hook);
    this.#text = text;
    this.state = parseState(text);
  }

  get isNew(): boolean {
    return this.#text === undefined;
  }

  /** Whether nobody else changed it meanwhile. */
  async write(state: HookState): Promise<boolean> {
    const { context: { store }, task: { id }, incarnation } = this.#turn;
    const to = stateText(state);
    const change = { from: this.#text, to };
    if (!await store.writeNote(id, incarnation, this.#name, change)) return false;
    this.#text = to;
    this.state = state;
    return true;
  }
}

/** An attempt as a part of the trace in which the task was created. */
function tracedAttempt(
  { context: { clock, tracer }, desk, traceparent }: Turn,
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
      { nowMs: clock.now(), signal: desk.closing },
    );
    if (!outcome.ok) span.fail(outcome.error);
    return outcome;
  });
}

/** Sends an event once. Returns what follows. */
async function deliverEvent(
  turn: Turn,
  hook: TaskHook,
  state: HookState,
  event: StoredEvent,
  filteredIndex: number,
): Promise<HookState> {
  const { context: { clock, store }, desk, task, incarnation } = turn;
  const { name, url, retry } = hook;
  const { index, type } = event;
  await turn.renew(retry.timeoutMs);
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
  const { error, retryAfterMs = 0 } = outcome;
  const attempts = (state.attempts ?? 0) + 1;
  if (attempts <= retry.retries) {
    const waitMs = backoffMs(attempts, retry, Math.random());
    const delayMs = Math.max(waitMs, Math.min(retryAfterMs, retry.maxDelayMs));
    return postponed(state, error, clock.now() + delayMs);
  }
  desk.counts.givenUp++;
  // Listed first: should this instance die in between, the list has one too many for a moment.
  await store.mark(task.id, "undelivered", clock.now(), { incarnation });
  desk.failed(task, { hook: name, url: shownUrl(url), index, type, attempts, error });
  return givenUp(state, index, error, clock.now());
}
