import type { SeriesFold } from "../../contracts/records.ts";
import type { FoldPage, TaskReader } from "../../contracts/task_reader.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { compileFilter, matchesEverything } from "../../domain/filter.ts";
import { breather } from "./breathe.ts";
import type { Coverage } from "./series_coverage.ts";

/** The facts about all series that are needed before the first one can be sent. */
export interface SeriesSurvey {
  /** Series of which the filter matches only some events. */
  split: Set<string>;
  /** Indexes of the newest events of the other series, as many as the reader may need. */
  newest: number[];
  /** The log has been surveyed through this index. */
  seenThrough: number;
}

/** The log to survey, and the reader's query. */
export interface SurveyQuery {
  taskId: string;
  incarnation: string;
  after: number;
  filter: EventFilter;
  last?: number;
  pageSize: number;
}

/**
 * Reads all folds without their texts. A filter needs this, because snapshots of series that it splits
 * come earlier than their folds, and so does a replay of the last items. If there is no second page of
 * folds, nothing is read.
 *
 * @returns `undefined` if the task is gone.
 */
export async function surveyFolds(
  store: TaskReader,
  query: SurveyQuery,
  first: FoldPage,
  coverageOf: (fold: SeriesFold) => Coverage,
): Promise<SeriesSurvey | undefined> {
  const { taskId, incarnation, last, filter, pageSize } = query;
  const split = new Set<string>();
  const newest: number[] = [];
  const initialEnd = first.length - 1;
  const breathe = breather();
  const isNeeded = last !== undefined || !matchesEverything(filter);
  for (let page = first;;) {
    for (const fold of page.folds) {
      const coverage = coverageOf(fold);
      if (coverage === "some") split.add(fold.seriesId);
      else if (coverage === "all" && last !== undefined && fold.newest.index <= initialEnd) {
        newest.push(fold.newest.index);
        if (newest.length > 2 * (last + pageSize)) newest.splice(0, newest.length - last - 1);
      }
    }
    // Continues to the current end of the log, where series are that grew meanwhile.
    const seenThrough = page.length - 1;
    if (!isNeeded || page.scannedTo >= seenThrough) return { split, newest, seenThrough };
    await breathe();
    const next = await store.readFolds(taskId, {
      after: page.scannedTo,
      limit: pageSize,
      texts: false,
    });
    if (next === undefined || next.incarnation !== incarnation) return undefined;
    page = next;
  }
}

/**
 * Finds series that the filter began to split after the survey. Their newest matching event has not
 * moved, but their fold has, by an event that does not match.
 *
 * @param through Searches the log through this index.
 * @returns `undefined` if the task is gone.
 */
export async function findNewlySplit(
  store: TaskReader,
  { taskId, incarnation, filter, pageSize }: SurveyQuery,
  survey: SeriesSurvey,
  through: number,
  known: { has(seriesId: string): boolean },
  coverageOf: (fold: SeriesFold) => Coverage,
): Promise<string[] | undefined> {
  if (matchesEverything(filter)) return [];
  const matches = compileFilter(filter);
  const suspects = new Set<string>();
  const breathe = breather();
  while (survey.seenThrough < through) {
    const after = survey.seenThrough;
    const page = await store.readLog(taskId, { after, through, limit: pageSize });
    if (page === undefined || page.incarnation !== incarnation) return undefined;
    for (const { seriesId, type, level } of page.events) {
      if (seriesId === undefined || known.has(seriesId) || matches({ type, level })) continue;
      suspects.add(seriesId);
    }
    survey.seenThrough = Math.max(page.scannedTo, after + 1);
    if (survey.seenThrough < through) await breathe();
  }
  const found: string[] = [];
  for (const seriesId of suspects) {
    const page = await store.readFolds(taskId, { after: -1, limit: 1, texts: false, seriesId });
    if (page === undefined || page.incarnation !== incarnation) return undefined;
    const [fold] = page.folds;
    if (fold !== undefined && coverageOf(fold) === "some") found.push(seriesId);
  }
  return found;
}
