import type { SeriesFold, StoredEvent } from "../contracts/records.ts";
import type { TaskReader } from "../contracts/task_reader.ts";
import { encodeCursor } from "../protocol/cursor.ts";
import type { EventFilter } from "../protocol/event.ts";
import { compileFilter, matchesEverything } from "../rules/filter.ts";
import { snapshotOf } from "../rules/series.ts";
import { cutOff } from "./cut_off.ts";
import { foldByReading } from "./fold_by_reading.ts";
import type { EventFrame } from "./frames.ts";
import { ranks } from "./ranks.ts";

/** What is to be collapsed, and for whom. */
export interface CollapseQuery {
  /** The task. */
  taskId: string;
  /** This life of its id. */
  incarnation: string;
  /** The reader has the plain events, and the series whose newest event is, at or before it. */
  after: number;
  /** Only what matches. */
  filter: EventFilter;
  /** Only the last of the items. @default all */
  last?: number;
  /** Events read at a time. */
  pageSize: number;
}

/** Some items of a collapsed replay. */
export interface CollapsedPage {
  /** In index order. */
  frames: EventFrame[];
  /** Set on the last page: the reader has everything through this index now. */
  through?: number;
}

/**
 * Replays a log with each series folded to its newest event, as of one moment: the items after
 * `after` in index order, page by page.
 *
 * Between the items the reader's cursor is partial: it has the plain events through its index, and
 * those series whose newest event is not after it. A series that grows meanwhile comes again as a
 * whole, and replaces what the reader has; so it may stop anywhere and go on later. After the last
 * item the cursor is exact.
 *
 * @returns Pages, the last with `through`; nothing at all if the task is gone or another one.
 */
export async function* collapse(
  store: TaskReader,
  query: CollapseQuery,
): AsyncGenerator<CollapsedPage, void> {
  const { taskId, incarnation, filter, pageSize } = query;
  const view = await store.readView(taskId, { after: query.after });
  if (view === undefined || view.incarnation !== incarnation) return;
  const through = view.length - 1; // What comes later is not part of this replay.
  let snapshots = await matchingSnapshots(store, query, view.series, through);
  let after = query.after;
  if (query.last !== undefined) {
    const indexes = snapshots.map((snapshot) => snapshot.index);
    after = await cutOff(store, { ...query, through, plain: true }, query.last, indexes);
    snapshots = snapshots.filter((snapshot) => snapshot.index > after);
  }

  for (let position = after;;) {
    const page = await store.readLog(taskId, {
      after: position,
      through,
      limit: pageSize,
      filter,
      plain: true,
    });
    if (page === undefined || page.incarnation !== incarnation) return;
    const last = page.scannedTo >= through;
    position = last ? through : page.scannedTo;
    const items = page.events;
    while (snapshots.length > 0 && snapshots[0]!.index <= position) items.push(snapshots.shift()!);
    items.sort((a, b) => a.index - b.index);
    const ranks = await ranksOf(store, taskId, filter, items);
    const frames = items.map((event, i): EventFrame => {
      const whole = last && i === items.length - 1;
      const cursor = whole
        ? encodeCursor({ kind: "exact", incarnation, index: through })
        : encodeCursor({ kind: "partial", incarnation, index: event.index });
      return { taskId, event, filteredIndex: ranks[i]!, cursor };
    });
    yield last ? { frames, through } : { frames };
    if (last) return;
  }
}

/** The position of each event among those that match. */
async function ranksOf(
  store: TaskReader,
  taskId: string,
  filter: EventFilter,
  events: readonly StoredEvent[],
): Promise<number[]> {
  const indexes = events.map((event) => event.index);
  if (indexes.length === 0 || matchesEverything(filter)) return indexes;
  return await ranks(store, taskId, filter, indexes);
}

/** Snapshots of the series that a filter lets through, in index order. */
async function matchingSnapshots(
  store: TaskReader,
  query: CollapseQuery,
  series: readonly SeriesFold[],
  through: number,
): Promise<StoredEvent[]> {
  const { taskId, filter, pageSize, after } = query;
  const matches = compileFilter(filter);
  const whole: SeriesFold[] = [];
  const split: SeriesFold[] = [];
  for (const fold of series) {
    const matching = fold.classes?.filter(matches).length;
    if (matchesEverything(filter) || matching === fold.classes?.length) whole.push(fold);
    else if (matching !== 0) split.push(fold);
  }
  if (split.length > 0) {
    // The filter takes some events of these series and not others, so that their folds tell too
    // much. Rare: usually all events of a series have one type and level.
    const ids = new Set(split.map((fold) => fold.seriesId));
    whole.push(...await foldByReading(store, taskId, { ids, filter, through, pageSize }));
  }
  return whole.filter((fold) => fold.newest.index > after && fold.newest.index <= through)
    .map(snapshotOf)
    .sort((a, b) => a.index - b.index);
}
