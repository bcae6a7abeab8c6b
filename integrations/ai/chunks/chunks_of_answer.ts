import type { ChatTasks } from "../tasks/chat_tasks.ts";
import { ChunkReader } from "./chunk_reader.ts";
import type { ChunkFields } from "./chunks.ts";

/**
 * Yields the chunks of an answer from its beginning: stored ones at once, then new ones.
 *
 * @throws {Error} If the stream of events ends before the answer does.
 */
export async function* chunksOfAnswer(
  tasks: ChatTasks,
  taskId: string,
  signal: AbortSignal,
): AsyncGenerator<ChunkFields, void> {
  const reader = new ChunkReader();
  const events = tasks.follow(taskId, signal);
  try {
    for (;;) {
      const { done, value } = await events.next();
      if (!done) {
        yield* reader.chunksOf(value);
      } else if (value !== undefined) {
        return yield* reader.endOf(value);
      } else {
        throw new Error("The stream of events ended before the answer did; resume the answer");
      }
    }
  } finally {
    await events.return(undefined);
  }
}
