import { onAbort } from "../protocol/abort.ts";
import { assertMethods } from "../domain/validate/checks.ts";
import { nextChunk } from "./chunk_source.ts";
import type { TaskStream } from "./task_stream.ts";

const SIGNAL: readonly string[] = [
  "throwIfAborted",
  "addEventListener",
  "removeEventListener",
] satisfies (keyof AbortSignal)[];

/** Returns a web stream of the messages of a task stream. It reads only when it is pulled. */
export function readable<Item>(
  open: () => Promise<TaskStream<Item[]>>,
  signal?: AbortSignal,
): ReadableStream<Item> {
  let stream: TaskStream<Item[]> | undefined;
  let forgetAbort = () => {};
  return new ReadableStream<Item>({
    async pull(controller) {
      if (stream === undefined) {
        if (signal !== undefined && signal !== null) assertMethods(signal, "signal", SIGNAL);
        signal?.throwIfAborted();
        stream = await open();
        // The signal may have been aborted while the stream was being opened.
        forgetAbort = onAbort(signal, () => stream?.close());
      }
      const { value, done } = stream.ended
        ? { done: true } as const
        : await nextChunk(stream.chunks);
      if (value !== undefined) { for (const item of value) controller.enqueue(item); }
      if (done) {
        forgetAbort();
        controller.close();
      }
    },
    async cancel() {
      forgetAbort();
      stream?.close();
      await stream?.chunks.cancel();
    },
  }, { highWaterMark: 0 });
}
