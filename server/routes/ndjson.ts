import type { Ending, StoredEvent, TaskEngine } from "@taskcast/core";
import type { EventInput, PublishReceipt } from "@taskcast/core/protocol";
import { invalidInput, TaskcastError } from "@taskcast/core/protocol";
import { InterruptibleBody } from "../interruptible_body.ts";
import { LineSplitter } from "../line_splitter.ts";
import { tooLarge } from "../request.ts";

/** How lines are taken. */
export interface NdjsonOptions {
  /** Bytes of one line at most. */
  maxLineBytes: number;
  /** Checks one line's value. */
  parseLine: (value: unknown) => EventInput;
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
 * @throws {TaskcastError} For the first line that is refused, with `details.line` (from 1),
 * `details.published` and `details.lastIndex`: what came before it is stored.
 */
export async function publishNdjson(
  engine: TaskEngine,
  taskId: string,
  request: Request,
  options: NdjsonOptions,
): Promise<PublishReceipt> {
  const receipt: PublishReceipt = { published: 0, lastIndex: -1 };
  const body = new InterruptibleBody(request.body, { graceMs: LAST_LINES_MS });
  const stopWatching = await engine.watchEnd(
    taskId,
    (ending) => body.interrupt(endedError(taskId, ending)),
  );
  const onClosing = () => body.interrupt(engine.closing.reason);
  engine.closing.addEventListener("abort", onClosing, { once: true });
  try {
    const lines = new LineSplitter(options.maxLineBytes);
    for (;;) {
      const next = await body.next();
      if (next.kind === "interrupted") throw next.error;
      const batch = next.kind === "chunk" ? lines.push(next.chunk) : lines.end();
      await append(engine, taskId, batch, options, receipt);
      if (lines.problem === "too long") throw tooLarge("It", options.maxLineBytes);
      if (lines.problem === "not UTF-8") throw invalidInput("", "is not valid UTF-8");
      if (next.kind === "done") return receipt;
    }
  } catch (error) {
    throw withProgress(error, receipt);
  } finally {
    stopWatching();
    engine.closing.removeEventListener("abort", onClosing);
    body.close();
  }
}

/** Commits lines, in batches as large as the engine takes. */
async function append(
  engine: TaskEngine,
  taskId: string,
  lines: readonly string[],
  { parseLine }: NdjsonOptions,
  receipt: PublishReceipt,
): Promise<void> {
  const { maxBatchEvents } = engine.limits;
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
    await appendAsFarAsPossible(engine, taskId, events, receipt);
    if (bad !== undefined) throw bad;
  }
}

async function appendAsFarAsPossible(
  engine: TaskEngine,
  taskId: string,
  events: readonly EventInput[],
  receipt: PublishReceipt,
): Promise<void> {
  const count = (stored: readonly StoredEvent[]) => {
    receipt.published += stored.length;
    for (const { index } of stored) receipt.lastIndex = Math.max(receipt.lastIndex, index);
  };
  if (events.length === 0) return;
  try {
    count(await engine.appendEvents(taskId, events));
  } catch (error) {
    if (events.length === 1 || !(error instanceof TaskcastError)) throw error;
    // A batch is all or none, but lines are one after another: find out which is refused.
    for (const event of events) count([await engine.appendEvent(taskId, event)]);
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

function withProgress(error: unknown, receipt: PublishReceipt): unknown {
  if (!(error instanceof TaskcastError)) return error;
  const line = receipt.published + 1;
  return new TaskcastError(error.code, `Line ${line}: ${error.message}`, {
    details: { ...error.details, ...receipt, line },
    cause: error,
  });
}
