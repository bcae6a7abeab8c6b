import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";

/** Which items to count. */
export interface LastItemsQuery {
  /** The task. */
  taskId: string;
  /** Only events that match. */
  filter: EventFilter;
  /** Only events after this index … */
  after: number;
  /** … and through this one. */
  through: number;
  /** Events read at a time. */
  pageSize: number;
  /** Only events that stand alone. */
  standalone: boolean;
}

/**
 * Finds the index after which just the `last` newest items come, reading backward: the cost is in
 * proportion to `last`, not to the log.
 *
 * @param more Indexes of items that are counted too, beside the events of the log.
 */
export async function indexOfLastN(
  store: TaskReader,
  query: LastItemsQuery,
  last: number,
  more: readonly number[] = [],
): Promise<number> {
  const { taskId, filter, after, through, pageSize, standalone: plain } = query;
  if (last === 0) return through;
  const indexes: number[] = [];
  for (let position = through; indexes.length <= last && position > after;) {
    const page: LogPage | undefined = await store.readLog(taskId, {
      after,
      through: position,
      limit: Math.min(pageSize, last + 1),
      filter,
      standalone: plain,
      backward: true,
    });
    if (page === undefined) break;
    for (const event of page.events) indexes.push(event.index);
    position = page.scannedTo - 1;
  }
  indexes.push(...more);
  indexes.sort((a, b) => b - a);
  return indexes[last] ?? after;
}
