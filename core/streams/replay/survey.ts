import type { SeriesFold } from "../../contracts/records.ts";
import type { FoldPage, TaskReader } from "../../contracts/task_reader.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { compileFilter, matchesEverything } from "../../domain/filter.ts";
import { breather } from "./breathe.ts";
import type { Coverage } from "./series_coverage.ts";

/** What has to be known of all series before the first of them can be told. */
export interface SeriesSurvey {
  /** Series of which the filter takes some events and not others. */
  split: Set<string>;
  /** Indexes of the newest events of the others, as many as the reader may want. */
  newest: number[];
  /** What is in the log through this index was seen. */
  seenThrough: number;
}

/** For whom. */
export interface SurveyQuery {
  taskId: string;
  incarnation: string;
  after: number;
  filter: EventFilter;
  last?: number;
  pageSize: number;
}

/**
 * Looks through all folds without their texts: for a filter, since the snapshots of series that it
 * splits come earlier than their folds, and for the last so many items. What the first page of folds
 * says is enough where there is no second.
 *
 * @returns `undefined` if the task is gone.
 */
export async function surveyFolds(
  store: TaskReader,
  query: SurveyQuery,
  first: FoldPage,
  share: (fold: SeriesFold) => Coverage,
): Promise<SeriesSurvey | undefined> {
  const { taskId, incarnation, last, filter, pageSize } = query;
  const split = new Set<string>();
  const newest: number[] = [];
  const moment = first.length - 1;
  const breathe = breather();
  const isNeeded = last !== undefined || !matchesEverything(filter);
  for (let page = first;;) {
    for (const fold of page.folds) {
      const taken = share(fold);
      if (taken === "some") split.add(fold.seriesId);
      else if (taken === "all" && last !== undefined && fold.newest.index <= moment) {
        newest.push(fold.newest.index);
        if (newest.length > 2 * (last + pageSize)) newest.splice(0, newest.length - last - 1);
      }
    }
    // To the end of the log of this moment: those that went on meanwhile are found there.
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
 * Finds series that the filter began to split after the survey. Their newest event that matches is
 * where it was, but their fold has moved on with one that does not.
 *
 * @param through Looks at the log through this index.
 * @returns `undefined` if the task is gone.
 */
export async function findNewlySplit(
  store: TaskReader,
  { taskId, incarnation, filter, pageSize }: SurveyQuery,
  survey: SeriesSurvey,
  through: number,
  known: { has(seriesId: string): boolean },
  share: (fold: SeriesFold) => Coverage,
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
    if (fold !== undefined && share(fold) === "some") found.push(seriesId);
  }
  return found;
}
