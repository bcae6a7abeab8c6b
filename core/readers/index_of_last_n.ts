import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";

/** Selects the items to count. */
export interface LastItemsQuery {
  /** The task. */
  taskId: string;
  /** Counts only matching events. */
  filter: EventFilter;
  /** Counts only events after this index. */
  after: number;
  /** Counts only events through this index. */
  through: number;
  /** Maximum number of events read at a time. */
  pageSize: number;
  /** Leaves out events of `latest` and `accumulate` series. */
  standalone: boolean;
}

/**
 * Returns the index after which exactly the `last` newest items follow. It reads backward, so the cost is
 * proportional to `last` and not to the length of the log.
 *
 * @param more Indexes of further items to count, in addition to events of the log.
 */
export async function indexOfLastN(
  store: TaskReader,
  query: LastItemsQuery,
  last: number,
  more: readonly number[] = [],
): Promise<number> {
  const { taskId, filter, after, through, pageSize, standalone } = query;
  if (last === 0) return through;
  const indexes: number[] = [];
  for (let position = through; indexes.length <= last && position > after;) {
    const page: LogPage | undefined = await store.readLog(taskId, {
      after,
      through: position,
      limit: Math.min(pageSize, last + 1),
      filter,
      standalone,
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
