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

/** What is to be collapsed, and for whom. */
export interface CollapseQuery {
  /** The task. */
  taskId: string;
  /** This life of its id. */
  incarnation: string;
  /** The reader has the plain events, and the series whose newest event is, at or before it. */
  after: number;
  /** The entropy of the event there, where it is known. */
  entropy?: number;
  /** Only what matches. */
  filter: EventFilter;
  /** Only the last of the items. @default all */
  last?: number;
  /** Series that go on meanwhile are told as a whole again, never by their events. */
  whole: boolean;
  /** Events and folds read at a time. */
  pageSize: number;
  /** Bytes of events or texts read at a time, about. */
  pageBytes: number;
}

/** Some items of a collapsed replay. */
export interface CollapsedPage {
  /** In index order. */
  frames: EventFrame[];
  /** The reader has, as a partial cursor says it, what is at or before this index. */
  position: number;
  /** The entropy of the event there, where it is known. */
  entropy?: number;
  /** Set on the last page: the reader has everything through this index now. */
  through?: number;
}

/**
 * Replays a log with each series folded to its newest event: the items after `after` in index order,
 * page by page. Holds a page of events, a page of folds and one text beyond it, however much the task
 * has, and reads on only when it is asked.
 *
 * Between the items the reader's cursor is partial: it has the plain events through its index, and
 * those series whose newest event is not after it. A series that goes on meanwhile moves behind the
 * end that the log had at first; the replay goes on there until a page reaches the end of the log of
 * its own moment. Then the cursor is exact.
 *
 * @returns Pages, the last with `through`; nothing more if the task is gone or another one.
 * @throws {Diverged} When the log is not the one that the reader has read, or that this began with.
 */
export async function* collapse(
  store: TaskReader,
  query: CollapseQuery,
): AsyncGenerator<CollapsedPage, void> {
  const { taskId, incarnation, filter } = query;
  for await (const { items, position, entropy, isWhole } of itemsOf(store, query)) {
    const places = await ranksOf(store, taskId, filter, items);
    const frames = items.map((event, i): EventFrame => {
      const cursor = isWhole && i === items.length - 1
        ? cursorAt("exact", incarnation, { through: position, entropy })
        : cursorAt("partial", incarnation, { through: event.index, entropy: event.entropy });
      return { taskId, event, filteredIndex: places[i]!, cursor };
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
  const told = new DeliveredSeries();
  const breathe = breather();
  let { after, entropy, last } = query;
  for (;;) {
    const first = await store.readFolds(taskId, { after, limit: pageSize });
    if (first === undefined || first.incarnation !== incarnation) return;
    if (first.length <= after) throw new Diverged();
    const round = throughEndOf(store, { ...query, after, entropy, last }, first, told);
    let page: CollapsedItems | undefined;
    for await (page of round) {
      yield page;
      if (page.isWhole) return;
      // A store in memory answers at once: others must be heard, too.
      await breathe();
    }
    const through = Math.max(after, first.length - 1);
    if (page === undefined || page.position < through) return; // It is gone.
    ({ entropy } = page);
    if (!whole) {
      yield* catchUp(store, { ...query, after: through, entropy }, told);
      return;
    }
    after = through;
    last = undefined;
  }
}

/** Everything through the end that the log had when its first folds were read. */
async function* throughEndOf(
  store: TaskReader,
  query: CollapseQuery,
  first: FoldPage,
  told: DeliveredSeries,
): AsyncGenerator<CollapsedItems, void> {
  const { taskId, incarnation, filter, pageSize } = query;
  const through = Math.max(query.after, first.length - 1);
  const share = compileCoverage(filter);
  const survey = await surveyFolds(store, query, first, share);
  if (survey === undefined) return;
  const isWanted = (fold: SeriesFold) => share(fold) === "all";
  const stored = new StoredFolds(store, { ...query, through, isWanted }, first);
  const read = new FoldsByReading(store, { ...query, through }, survey.split);
  const after = await startOf(store, { ...query, through }, survey, read);
  if (after === undefined) return;
  let entropy = after === query.after ? query.entropy : undefined;
  for (let position = after;;) {
    if (stored.through <= position && position < through) {
      if (!await stored.load(position)) return;
      const split = await findNewlySplit(store, query, survey, stored.length - 1, read, share);
      if (split === undefined) return;
      if (split.length > 0) read.add(split, position);
    }
    if (read.through <= position && position < through && !await read.load(position)) return;
    stored.take(position); // What comes before the last of the items.
    read.take(position);
    // Where none of the items is wanted, nothing of them was loaded.
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
    // Folds and events were read at different moments. They are of one log if that still has the
    // event which was the newest when the first folds were read: a store that lost it has another.
    if (position === first.length - 1) assertSame(entropy, first.entropy);
    const snapshots = [...stored.take(position), ...read.take(position)];
    for (const { seriesId } of snapshots) told.add(seriesId!);
    const items = inOrder(page.events, snapshots);
    const isLast = position >= through;
    yield { items, position, entropy, isWhole: isLast && stored.length - 1 <= through };
    if (isLast) return;
  }
}

/**
 * Returns plain events and snapshots in index order. A series that began to be split between two looks
 * comes as two snapshots, which are the same: one is left.
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

/** Where the last of the items begin. */
async function startOf(
  store: TaskReader,
  query: CollapseQuery & { through: number },
  survey: SeriesSurvey,
  read: FoldsByReading,
): Promise<number | undefined> {
  const { after, last } = query;
  if (last === undefined) return after;
  const places = survey.split.size === 0 ? [] : await read.newestIndexes(after);
  if (places === undefined) return undefined;
  return await indexOfLastN(store, { ...query, standalone: true }, last, [
    ...survey.newest,
    ...places,
  ]);
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
  return await countBefore(store, taskId, filter, indexes);
}
