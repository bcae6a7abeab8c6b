import type { SeriesFold, StoredEvent } from "../../contracts/records.ts";
import type { FoldPage, TaskReader } from "../../contracts/task_reader.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { matchesEverything } from "../../domain/filter.ts";
import { breather } from "./breathe.ts";
import { catchUp } from "./catch_up.ts";
import type { CollapsedItems } from "./collapsed_items.ts";
import { indexOfLastN } from "../../readers/index_of_last_n.ts";
import { assertSame, Diverged, isLost } from "../../context/diverged.ts";
import { FoldsByReading } from "./fold_by_reading.ts";
import type { EventFrame } from "../frames.ts";
import { cursorAt } from "../log_position.ts";
import { countBefore } from "../../readers/count_before.ts";
import { compileCoverage } from "./series_coverage.ts";
import { StoredFolds } from "./stored_folds.ts";
import type { SeriesSurvey } from "./survey.ts";
import { findNewlySplit, surveyFolds } from "./survey.ts";
import { DeliveredSeries } from "./delivered_series.ts";

/** The log to collapse, and the reader's position in it. */
export interface CollapseQuery {
  /** The task. */
  taskId: string;
  /** The incarnation of the task. */
  incarnation: string;
  /** The reader has standalone events through this index, and series whose newest event is not after it. */
  after: number;
  /** The entropy of the event at `after`, if known. */
  entropy?: number;
  /** Delivers only matching events. */
  filter: EventFilter;
  /** Maximum number of items; the newest are kept. @default all */
  last?: number;
  /** Set if series that grow meanwhile are sent as a whole again, never as single events. */
  whole: boolean;
  /** Number of events or folds read at a time. */
  pageSize: number;
  /** Approximate bytes of events or texts read at a time. */
  pageBytes: number;
}

/** A page of a collapsed replay. */
export interface CollapsedPage {
  /** In index order. */
  frames: EventFrame[];
  /** The index of the reader's partial cursor after this page. */
  position: number;
  /** The entropy of the event at `position`, if known. */
  entropy?: number;
  /** Set on the last page: the reader then has everything through this index. */
  through?: number;
}

/**
 * Replays a log with each series folded into its newest event: the items after `after` in index order,
 * page by page. It holds one page of events, one page of folds and one further text, whatever the size of
 * the task, and reads the next page only on request.
 *
 * Between the items the reader's cursor is partial: the reader has the standalone events through its
 * index, and the series whose newest event is not after it. A series that grows meanwhile moves behind the
 * end that the log had at first. The replay continues there until a page reaches the end that the log had
 * when the page was read. Then the cursor is exact.
 *
 * @returns Pages, the last with `through`; ends early if the task is gone or replaced.
 * @throws {Diverged} If the log is not the one that the reader has read, or that the replay began with.
 */
export async function* collapse(
  store: TaskReader,
  query: CollapseQuery,
): AsyncGenerator<CollapsedPage, void> {
  const { taskId, incarnation, filter } = query;
  for await (const { items, position, entropy, isWhole } of itemsOf(store, query)) {
    const ranks = await ranksOf(store, taskId, filter, items);
    const frames = items.map((event, i): EventFrame => {
      const cursor = isWhole && i === items.length - 1
        ? cursorAt("exact", incarnation, { through: position, entropy })
        : cursorAt("partial", incarnation, { through: event.index, entropy: event.entropy });
      return { taskId, event, filteredIndex: ranks[i]!, cursor };
    });
    const page = { frames, position, entropy };
    yield isWhole ? { ...page, through: position } : page;
    if (isWhole) return;
  }
}

async function* itemsOf(
  store: TaskReader,
  query: CollapseQuery,
): AsyncGenerator<CollapsedItems, void> {
  const { taskId, incarnation, whole, pageSize } = query;
  const delivered = new DeliveredSeries();
  const breathe = breather();
  let { after, entropy, last } = query;
  for (;;) {
    const first = await store.readFolds(taskId, { after, limit: pageSize });
    if (first === undefined || first.incarnation !== incarnation) return;
    if (first.length <= after) throw new Diverged();
    const pages = throughEndOf(store, { ...query, after, entropy, last }, first, delivered);
    let page: CollapsedItems | undefined;
    for await (page of pages) {
      yield page;
      if (page.isWhole) return;
      // A store in memory answers at once, so nothing else would get a turn.
      await breathe();
    }
    const through = Math.max(after, first.length - 1);
    if (page === undefined || page.position < through) return; // The task is gone.
    ({ entropy } = page);
    if (!whole) {
      yield* catchUp(store, { ...query, after: through, entropy }, delivered);
      return;
    }
    after = through;
    last = undefined;
  }
}

/** Reads everything through the end that the log had when its first folds were read. */
async function* throughEndOf(
  store: TaskReader,
  query: CollapseQuery,
  first: FoldPage,
  delivered: DeliveredSeries,
): AsyncGenerator<CollapsedItems, void> {
  const { taskId, incarnation, filter, pageSize } = query;
  const through = Math.max(query.after, first.length - 1);
  const coverage = compileCoverage(filter);
  const survey = await surveyFolds(store, query, first, coverage);
  if (survey === undefined) return;
  const isWanted = (fold: SeriesFold) => coverage(fold) === "all";
  const stored = new StoredFolds(store, { ...query, through, isWanted }, first);
  const read = new FoldsByReading(store, { ...query, through }, survey.split);
  const after = await startOf(store, { ...query, through }, survey, read);
  if (after === undefined) return;
  let entropy = after === query.after ? query.entropy : undefined;
  for (let position = after;;) {
    if (stored.through <= position && position < through) {
      if (!await stored.load(position)) return;
      const split = await findNewlySplit(store, query, survey, stored.length - 1, read, coverage);
      if (split === undefined) return;
      if (split.length > 0) read.add(split, position);
    }
    if (read.through <= position && position < through && !await read.load(position)) return;
    stored.take(position); // Skips the items before the position.
    read.take(position);
    // With `last: 0` no folds were loaded, so their ends may be before the position.
    const target = Math.max(position, Math.min(through, stored.through, read.through));
    const page = await store.readLog(taskId, {
      after: position,
      afterEntropy: entropy,
      through: target,
      limit: pageSize,
      filter,
      standalone: true,
    });
    if (page === undefined || page.incarnation !== incarnation) return;
    if (isLost(page, Math.max(position, through))) throw new Diverged();
    position = page.scannedTo >= target ? target : page.scannedTo;
    entropy = page.scannedTo === position ? page.entropy : undefined;
    // Folds and events were read at different times. They belong to the same log if it still has the
    // event that was the newest when the first folds were read.
    if (position === first.length - 1) assertSame(entropy, first.entropy);
    const snapshots = [...stored.take(position), ...read.take(position)];
    for (const { seriesId } of snapshots) delivered.add(seriesId!);
    const items = inOrder(page.events, snapshots);
    const isLast = position >= through;
    yield { items, position, entropy, isWhole: isLast && stored.length - 1 <= through };
    if (isLast) return;
  }
}

/**
 * Returns standalone events and snapshots in index order. A series that the filter began to split between
 * two reads has two equal snapshots; one of them is dropped.
 */
function inOrder(
  events: StoredEvent[],
  snapshots: readonly StoredEvent[],
): StoredEvent[] {
  if (snapshots.length === 0) return events;
  const items = [...events, ...snapshots];
  if (items.every(({ index }, i) => i === 0 || items[i - 1]!.index < index)) return items;
  items.sort((a, b) => a.index - b.index);
  return items.filter(({ index }, i) => index !== items[i + 1]?.index);
}

/** Returns the index after which the replay starts, so that at most `last` items follow. */
async function startOf(
  store: TaskReader,
  query: CollapseQuery & { through: number },
  survey: SeriesSurvey,
  read: FoldsByReading,
): Promise<number | undefined> {
  const { after, last } = query;
  if (last === undefined) return after;
  const split = survey.split.size === 0 ? [] : await read.newestIndexes(after);
  if (split === undefined) return undefined;
  return await indexOfLastN(store, { ...query, standalone: true }, last, [
    ...survey.newest,
    ...split,
  ]);
}

/** Returns the position of each event among the matching events of the log. */
async function ranksOf(
  store: TaskReader,
  taskId: string,
  filter: EventFilter,
  events: readonly StoredEvent[],
): Promise<number[]> {
  const indexes = events.map((event) => event.index);
  if (indexes.length === 0 || matchesEverything(filter)) return indexes;
  return await countBefore(store, taskId, filter, indexes);
}
