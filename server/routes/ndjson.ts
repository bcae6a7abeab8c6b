import type { Ending, EndWatch, TaskEngine } from "@taskcast/core";
import type { StoredEvent } from "@taskcast/core/adapter";
import type { WriteOptions } from "@taskcast/core/leases";
import { isTaskReplaced } from "@taskcast/core/internal";
import type { EventInput, PublishReceipt } from "@taskcast/core/protocol";
import { invalidInput, isRefusal, TaskcastError } from "@taskcast/core/protocol";
import { InterruptibleBody } from "../requests/interruptible_body.ts";
import { LeaseRenewal } from "../requests/lease_renewal.ts";
import { LineSplitter } from "../requests/line_splitter.ts";
import { tokenExpired, tooLarge } from "../requests/parse.ts";
import { callAt } from "../sse/call_at.ts";

/** Options of {@linkcode publishNdjson}. */
export interface NdjsonOptions {
  /** Maximum size of a line in bytes. */
  maxLineBytes: number;
  /** Watches for the end of the task, in the incarnation that the caller may publish to. */
  watchEnd: (onEnd: (ending: Ending) => void) => Promise<EndWatch>;
  /**
   * The token of the lease under which the lines are published. It is renewed while bytes arrive, blank
   * lines included. @default none
   */
  lease?: string;
  /** Returns the time of the engine's clock in milliseconds. @default `Date.now` */
  now?: () => number;
  /** Unix milliseconds at which the caller's permission expires. @default never */
  expiresAtMs?: number;
}

/** The task that lines are published to, in the incarnation that the request began with. */
interface Target {
  engine: TaskEngine;
  taskId: string;
  incarnation: string;
  lease?: string;
}

/** How long the request of an ended task may still bring lines that were on their way. */
const LAST_LINES_MS = 100;

/**
 * Publishes a body of lines as it arrives. Lines that arrived together are one commit, in order.
 *
 * When the task ends, the request is answered at once. Lines that were on their way are first given
 * to the store, which recognizes those that it already has. A producer that repeats its last lines
 * after a broken connection thus learns that they are stored.
 *
 * Permission is checked once, and lasts as long as the token. When the token expires, the request
 * is answered, and later lines are not stored.
 *
 * @throws {TaskcastError} For the first line that is refused or whose outcome is unknown, with
 * `details.line` (from 1), `details.published` and `details.lastIndex`. All lines before it are
 * stored.
 */
export async function publishNdjson(
  engine: TaskEngine,
  taskId: string,
  request: Request,
  options: NdjsonOptions,
): Promise<PublishReceipt> {
  const { maxLineBytes, expiresAtMs, lease, now } = options;
  const receipt: PublishReceipt = { published: 0, lastIndex: -1 };
  let ended: TaskcastError | undefined;
  let onEnded = () => {};
  const { incarnation, stop: stopWatching } = await options.watchEnd((ending) => {
    ended = endedError(taskId, ending);
    onEnded();
  });
  // Created only now: the body of a refused request is not touched.
  const body = new InterruptibleBody(request.body, { graceMs: LAST_LINES_MS });
  onEnded = () => body.interrupt(ended);
  if (ended !== undefined) onEnded();
  const target: Target = { engine, taskId, incarnation, lease };
  const renewal = lease === undefined
    ? undefined
    : new LeaseRenewal(engine, { taskId, lease, incarnation, now });
  const onClosing = () => body.interrupt(engine.closing.reason);
  engine.closing.addEventListener("abort", onClosing, { once: true });
  const stopClock = expiresAtMs === undefined
    ? undefined
    : callAt(expiresAtMs, () => body.stop(tokenExpired()));
  try {
    const lines = new LineSplitter(maxLineBytes);
    for (;;) {
      const next = await body.next();
      if (next.kind === "interrupted") throw next.error;
      // Timers may be late.
      if (expiresAtMs !== undefined && Date.now() >= expiresAtMs) throw tokenExpired();
      if (next.kind === "chunk") await renewal?.onBytes();
      const batch = next.kind === "chunk" ? lines.push(next.chunk) : lines.end();
      await append(target, batch, receipt);
      if (lines.problem === "too long") throw tooLarge("It", maxLineBytes);
      if (lines.problem === "not UTF-8") throw invalidInput("", "is not valid UTF-8");
      if (next.kind === "done") return receipt;
    }
  } catch (error) {
    // The request was about the deleted task, whatever has its id now.
    const problem = isTaskReplaced(error) ? endedError(taskId, "deleted") : error;
    throw withProgress(problem, receipt);
  } finally {
    stopWatching();
    stopClock?.();
    engine.closing.removeEventListener("abort", onClosing);
    body.close();
  }
}

/** Commits lines, in batches as large as the engine accepts. */
async function append(
  target: Target,
  lines: readonly string[],
  receipt: PublishReceipt,
): Promise<void> {
  const { maxBatchEvents } = target.engine.limits;
  for (let start = 0; start < lines.length; start += maxBatchEvents) {
    const events: EventInput[] = [];
    let bad: unknown;
    try {
      for (const line of lines.slice(start, start + maxBatchEvents)) {
        events.push(parseJson(line) as EventInput); // The engine validates it.
      }
    } catch (error) {
      bad = error; // The lines before the bad one are stored.
    }
    await appendAsFarAsPossible(target, events, receipt);
    if (bad !== undefined) throw bad;
  }
}

async function appendAsFarAsPossible(
  target: Target,
  events: readonly EventInput[],
  receipt: PublishReceipt,
): Promise<void> {
  const { engine, taskId, incarnation, lease } = target;
  const options: WriteOptions = lease === undefined ? { incarnation } : { incarnation, lease };
  const count = (stored: readonly StoredEvent[]) => {
    receipt.published += stored.length;
    for (const { index } of stored) receipt.lastIndex = Math.max(receipt.lastIndex, index);
  };
  if (events.length === 0) return;
  if (events.length === 1) {
    count([await engine.appendEvent(taskId, events[0]!, options)]);
    return;
  }
  try {
    count(await engine.appendEvents(taskId, events, options));
  } catch (error) {
    // After an unknown outcome, the whole batch may be stored; continuing could store it twice.
    if (!isRefusal(error)) throw error;
    // A batch is stored as a whole or not at all, but lines count one by one.
    const bad = positionOfInvalid(error);
    if (bad !== undefined) await appendAsFarAsPossible(target, events.slice(0, bad), receipt);
    for (const event of events.slice(bad ?? 0)) {
      count([await engine.appendEvent(taskId, event, options)]);
    }
  }
}

/** Returns the index of the invalid event of a batch, if the error names one. */
function positionOfInvalid(error: unknown): number | undefined {
  const path = error instanceof TaskcastError ? error.details?.path : undefined;
  const [, digits] = /^\[(\d+)\]/.exec(String(path)) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw invalidInput("", `is not valid JSON: ${(error as Error).message}`);
  }
}

function endedError(taskId: string, ending: Ending): TaskcastError {
  return ending === "deleted"
    ? new TaskcastError("TASK_NOT_FOUND", `Task "${taskId}" was deleted`, { details: { taskId } })
    : new TaskcastError(
      "TASK_TERMINAL",
      `Cannot publish to task "${taskId}": it is "${ending}", and nothing can follow that`,
      { details: { taskId, status: ending } },
    );
}

function withProgress(error: unknown, receipt: PublishReceipt): TaskcastError {
  const line = receipt.published + 1;
  const [code, problem, details] = error instanceof TaskcastError
    ? [error.code, error.message, error.details] as const
    : ["INTERNAL", "Something went wrong on the server", {}] as const;
  return new TaskcastError(code, `Line ${line}: ${problem}`, {
    details: { ...details, ...receipt, line },
    cause: error,
  });
}
