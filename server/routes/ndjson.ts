import type { Ending, EndWatch, TaskEngine } from "@taskcast/core";
import type { StoredEvent } from "@taskcast/core/adapter";
import { isTaskReplaced } from "@taskcast/core/internal";
import type { EventInput, PublishReceipt } from "@taskcast/core/protocol";
import { invalidInput, isRefusal, TaskcastError } from "@taskcast/core/protocol";
import { InterruptibleBody } from "../requests/interruptible_body.ts";
import { LineSplitter } from "../requests/line_splitter.ts";
import { tokenExpired, tooLarge } from "../requests/parse.ts";
import { callAt } from "../sse/call_at.ts";

/** How lines are taken. */
export interface NdjsonOptions {
  /** Bytes of one line at most. */
  maxLineBytes: number;
  /** Checks one line's value. */
  parseLine: (value: unknown) => EventInput;
  /** Watches for the end of the task in the incarnation that the caller may publish to. */
  watchEnd: (onEnd: (ending: Ending) => void) => Promise<EndWatch>;
  /** Unix milliseconds at which the caller's permission ends. @default never */
  expiresAtMs?: number;
}

/** Where lines go: to the task as it was when the request began, and to no later one of its id. */
interface Target {
  engine: TaskEngine;
  taskId: string;
  incarnation: string;
}

/** How long a request of an ended task may still bring lines that were on their way. */
const LAST_LINES_MS = 100;

/**
 * Publishes a body of lines as it arrives: what has come in together is one commit, in order.
 *
 * When the task ends, the request is answered at once; but lines that were on their way are first
 * given to the store, which knows those that it has already. So a producer that repeats its last
 * lines after a broken connection learns that they are stored.
 *
 * The caller's permission is asked once, and lasts as long as the token: when that expires the request
 * is answered, and what comes later is not stored.
 *
 * @throws {TaskcastError} For the first line that is refused or whose outcome is not known, with
 * `details.line` (from 1), `details.published` and `details.lastIndex`: what came before it is stored.
 */
export async function publishNdjson(
  engine: TaskEngine,
  taskId: string,
  request: Request,
  options: NdjsonOptions,
): Promise<PublishReceipt> {
  const { maxLineBytes, expiresAtMs } = options;
  const receipt: PublishReceipt = { published: 0, lastIndex: -1 };
  let ended: TaskcastError | undefined;
  let onEnded = () => {};
  const { incarnation, stop: stopWatching } = await options.watchEnd((ending) => {
    ended = endedError(taskId, ending);
    onEnded();
  });
  // Only now: the body of a request that is refused is not touched.
  const body = new InterruptibleBody(request.body, { graceMs: LAST_LINES_MS });
  onEnded = () => body.interrupt(ended);
  if (ended !== undefined) onEnded();
  const target: Target = { engine, taskId, incarnation };
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
      const batch = next.kind === "chunk" ? lines.push(next.chunk) : lines.end();
      await append(target, batch, options, receipt);
      if (lines.problem === "too long") throw tooLarge("It", maxLineBytes);
      if (lines.problem === "not UTF-8") throw invalidInput("", "is not valid UTF-8");
      if (next.kind === "done") return receipt;
    }
  } catch (error) {
    // This request was about the task that is gone, whatever has its id now.
    const problem = isTaskReplaced(error) ? endedError(taskId, "deleted") : error;
    throw withProgress(problem, receipt);
  } finally {
    stopWatching();
    stopClock?.();
    engine.closing.removeEventListener("abort", onClosing);
    body.close();
  }
}

/** Commits lines, in batches as large as the engine takes. */
async function append(
  target: Target,
  lines: readonly string[],
  { parseLine }: NdjsonOptions,
  receipt: PublishReceipt,
): Promise<void> {
  const { maxBatchEvents } = target.engine.limits;
  for (let start = 0; start < lines.length; start += maxBatchEvents) {
    const events: EventInput[] = [];
    let bad: unknown;
    try {
      for (const line of lines.slice(start, start + maxBatchEvents)) {
        events.push(parseLine(parseJson(line)));
      }
    } catch (error) {
      bad = error; // What comes before the bad line is to be stored.
    }
    await appendAsFarAsPossible(target, events, receipt);
    if (bad !== undefined) throw bad;
  }
}

async function appendAsFarAsPossible(
  { engine, taskId, incarnation }: Target,
  events: readonly EventInput[],
  receipt: PublishReceipt,
): Promise<void> {
  const count = (stored: readonly StoredEvent[]) => {
    receipt.published += stored.length;
    for (const { index } of stored) receipt.lastIndex = Math.max(receipt.lastIndex, index);
  };
  if (events.length === 0) return;
  try {
    count(await engine.appendEvents(taskId, events, { incarnation }));
  } catch (error) {
    // Of a batch whose outcome is not known, all may be stored: to go on would store it twice.
    if (events.length === 1 || !isRefusal(error)) throw error;
    // A batch is all or none, but lines are one after another: find out which is refused.
    for (const event of events) count([await engine.appendEvent(taskId, event, { incarnation })]);
  }
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
