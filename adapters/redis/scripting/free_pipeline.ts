import type { RedisPipeline } from "../connection/client.ts";

/** Answer to a command of a pipeline. */
export type Answer = [error: Error | null, reply: unknown];

/** Fields of ioredis's pipelines that hold commands and answers. */
interface Kept {
  _queue?: unknown;
  _result?: unknown;
}

/**
 * The answers of a pipeline, of which nothing else keeps anything any more.
 *
 * ioredis gives each pipeline a property by a function of its own (`length`). V8 makes a hidden
 * class for that, which keeps the function and so the pipeline, with all commands and answers,
 * until it next looks through the whole heap; each short collection copies what came since the
 * last. With 32 publishes at a time these took 9 % of the time of this process. Without that, and
 * without a set of those who wait (`deadlines.ts`), it is 2 %.
 */
export function released(pipeline: RedisPipeline, answers: Answer[] | null): Answer[] {
  const kept = pipeline as Kept;
  // Another version may keep these in other ways.
  if (Array.isArray(kept._queue)) kept._queue = [];
  if (Array.isArray(kept._result)) kept._result = [];
  // The pipeline keeps them by its promise.
  return answers === null ? [] : answers.splice(0);
}
