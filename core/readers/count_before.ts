import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import { isTerminal } from "../protocol/status.ts";
import { matchesEverything } from "../domain/filter.ts";
import { TaskGone } from "../context/task_gone.ts";

/**
 * Counts, for each index, the matching events before it.
 *
 * @param reader Reads one incarnation of the task.
 * @throws {TaskGone} If that incarnation is gone.
 */
export async function countBefore(
  reader: TaskReader,
  taskId: string,
  filter: EventFilter,
  indexes: readonly number[],
): Promise<number[]> {
  const counts = await reader.countMatches(taskId, filter, indexes);
  if (counts === undefined) throw new TaskGone();
  return counts;
}

/** Counts, for each index, the matching events before it; 0 if the task is gone, or in another incarnation. */
export async function countBeforeEach(
  reader: TaskReader,
  taskId: string,
  filter: EventFilter,
  indexes: readonly number[],
  incarnation?: string,
): Promise<number[]> {
  return await reader.countMatches(taskId, filter, indexes, incarnation) ?? indexes.map(() => 0);
}

/**
 * Counts, for each event of a page that was read with a filter, the matching events before it. The store is
 * asked only if events may have been trimmed.
 *
 * @param count Number of matching events before the page.
 */
export async function countBeforePage(
  reader: TaskReader,
  taskId: string,
  filter: EventFilter,
  { events, status, incarnation }: Pick<LogPage, "events" | "status" | "incarnation">,
  count: number,
): Promise<number[]> {
  const indexes = events.map(({ index }) => index);
  if (matchesEverything(filter)) return indexes;
  // Only logs of ended tasks are trimmed, and trimmed events still count.
  const counts = isTerminal(status) && events.length > 0
    ? await reader.countMatches(taskId, filter, indexes, incarnation)
    : undefined;
  return counts ?? indexes.map((_, i) => count + i);
}
