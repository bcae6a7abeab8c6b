import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import { isTerminal } from "../protocol/status.ts";
import { matchesEverything } from "../domain/filter.ts";
import { TaskGone } from "../context/task_gone.ts";

/**
 * For each index: how many events before it match, of a task that is read in one incarnation.
 *
 * @throws {TaskGone} If it is not in that one any more.
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

/** For each index: how many events before it match. None, when the task is gone, or in another incarnation. */
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
 * For each event of a page that was read with a filter: how many before it match.
 *
 * @param count How many match before the page. Nothing is asked while no event can have been trimmed.
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
  // Events go from ended tasks only; those that went from in between count.
  const counts = isTerminal(status) && events.length > 0
    ? await reader.countMatches(taskId, filter, indexes, incarnation)
    : undefined;
  return counts ?? indexes.map((_, i) => count + i);
}
