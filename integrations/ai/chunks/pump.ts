import { TaskcastError } from "@taskcast/core/protocol";
import type { TaskStatus, TransitionOptions } from "@taskcast/core/protocol";
import type { AnswerSource } from "../answer_source.ts";
import { chunksOf } from "../answer_source.ts";
import type { ChatTasks, EventSink } from "../tasks/chat_tasks.ts";
import { ChunkWriter } from "./chunk_writer.ts";
import type { ChunkFields } from "./chunks.ts";

/** Milliseconds after which the stream of a stopped answer is cancelled if it has not ended. */
const GRACE_MS = 5_000;

/** Destination of an answer, and its callbacks. */
export interface PumpTarget {
  tasks: Pick<ChatTasks, "transition">;
  taskId: string;
  sink: EventSink;
  /** Aborts the generation when the answer is no longer wanted. */
  controller: AbortController;
  /** Called with an error; returns the text that readers get. */
  onError: (error: unknown) => string;
}

/** Final status of a task. */
interface Outcome {
  status: Extract<TaskStatus, "completed" | "failed" | "cancelled">;
  options: TransitionOptions;
}

/** Streams an answer into its task, then ends the task with the outcome. Never rejects. */
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

/** Ends a task, unless it has ended already. Never rejects. */
export async function end(
  { tasks, taskId, onError }: Pick<PumpTarget, "tasks" | "taskId" | "onError">,
  { status, options }: Outcome,
): Promise<void> {
  try {
    await tasks.transition(taskId, status, options);
  } catch (error) {
    if (!isEnded(error)) onError(error); // The ttl ends the task later.
  }
}

/** Returns the outcome of a failed answer. */
export function failure(message: string): Outcome {
  return { status: "failed", options: { error: { message } } };
}

/** Returns whether an error means that the task has ended. */
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
  const publishChunk = async (chunk: ChunkFields) => {
    outcome = outcomeAfter(chunk) ?? outcome;
    for (const event of writer.eventsOf(chunk)) await sink.publish(event);
  };
  let reader: ReadableStreamDefaultReader<ChunkFields> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    controller.abort(new DOMException("The answer was stopped", "AbortError"));
    // Reading continues, so that the generator can finish and save the partial answer.
    timer = setTimeout(() => void reader?.cancel().catch(() => {}), GRACE_MS);
  };
  sink.signal.addEventListener("abort", stop, { once: true });
  if (sink.signal.aborted) stop();
  try {
    reader = chunksOf(source).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return outcome;
      if (!sink.signal.aborted) await publishChunk(value);
    }
  } catch (error) {
    if (sink.signal.aborted) return outcome;
    const errorText = onError(error);
    await publishChunk({ type: "error", errorText }).catch(() => {}); // close() reports it.
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
