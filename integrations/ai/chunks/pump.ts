import { TaskcastError } from "@taskcast/core/protocol";
import type { TaskStatus, TransitionOptions } from "@taskcast/core/protocol";
import type { AnswerSource } from "../answer_source.ts";
import { chunksOf } from "../answer_source.ts";
import type { ChatTasks, EventSink } from "../tasks/chat_tasks.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import type { ChunkFields } from "./chunks.ts";

/** Milliseconds in which an answer that was stopped may come to its own end. */
const GRACE_MS = 5_000;

/** Where an answer goes. */
export interface PumpTarget {
  tasks: Pick<ChatTasks, "transition">;
  taskId: string;
  sink: EventSink;
  /** Told to whoever makes the answer when nobody wants it any more. */
  controller: AbortController;
  /** Takes an error; returns what is told of it. */
  onError: (error: unknown) => string;
}

/** How a task is ended. */
interface Outcome {
  status: Extract<TaskStatus, "completed" | "failed" | "cancelled">;
  options: TransitionOptions;
}

/** Streams an answer into its task and ends the task as the answer ends. Never rejects. */
export async function pump(source: AnswerSource, target: PumpTarget): Promise<void> {
  const { sink, onError } = target;
  let outcome = await store(source, target);
  try {
    await sink.close();
  } catch (error) {
    if (isEnded(error)) return;
    outcome = failure(onError(error));
  }
  await end(target, outcome);
}

/** Ends a task, if it has not ended already. Never rejects. */
export async function end(
  { tasks, taskId, onError }: Pick<PumpTarget, "tasks" | "taskId" | "onError">,
  { status, options }: Outcome,
): Promise<void> {
  try {
    await tasks.transition(taskId, status, options);
  } catch (error) {
    if (!isEnded(error)) onError(error); // The ttl ends it.
  }
}

/** The end of a task whose answer failed. */
export function failure(message: string): Outcome {
  return { status: "failed", options: { error: { message } } };
}

/** Returns true for the error of a task that has ended. */
export function isEnded(error: unknown): boolean {
  return error instanceof TaskcastError &&
    ["TASK_TERMINAL", "TASK_NOT_FOUND", "INVALID_TRANSITION"].includes(error.code);
}

async function store(
  source: AnswerSource,
  { sink, controller, onError }: PumpTarget,
): Promise<Outcome> {
  const writer = new ChunkWriter();
  let outcome: Outcome = { status: "completed", options: {} };
  const take = async (chunk: ChunkFields) => {
    outcome = outcomeAfter(chunk) ?? outcome;
    for (const event of writer.eventsOf(chunk)) await sink.publish(event);
  };
  let reader: ReadableStreamDefaultReader<ChunkFields> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    controller.abort(new DOMException("The answer was stopped", "AbortError"));
    // It is read on to its end, so that whoever makes it can put away what there is of it.
    timer = setTimeout(() => void reader?.cancel().catch(() => {}), GRACE_MS);
  };
  sink.signal.addEventListener("abort", stop, { once: true });
  if (sink.signal.aborted) stop();
  try {
    reader = chunksOf(source).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return outcome;
      if (!sink.signal.aborted) await take(value);
    }
  } catch (error) {
    if (sink.signal.aborted) return outcome;
    const errorText = onError(error);
    await take({ type: "error", errorText }).catch(() => {}); // The sink says why when it is closed.
    return failure(errorText);
  } finally {
    clearTimeout(timer);
    sink.signal.removeEventListener("abort", stop);
    await reader?.cancel().catch(() => {});
  }
}

/** Returns the outcome of the answer if a chunk ends it. */
function outcomeAfter(chunk: ChunkFields): Outcome | undefined {
  if (chunk.type === "error") return failure(String(chunk.errorText));
  if (chunk.type !== "abort") return undefined;
  return { status: "cancelled", options: { reason: reasonOf(chunk) } };
}

function reasonOf({ reason }: ChunkFields): string {
  return typeof reason === "string" ? reason.slice(0, 1000) : "The answer was aborted";
}
