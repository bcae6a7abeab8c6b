import type { TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";

/** For each index: how many events before it match. None, when the task is gone. */
export async function ranks(
  reader: TaskReader,
  taskId: string,
  filter: EventFilter,
  indexes: readonly number[],
): Promise<number[]> {
  return await reader.countMatches(taskId, filter, indexes) ?? indexes.map(() => 0);
}
