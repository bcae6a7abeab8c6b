import type { Trim } from "@taskcast/core/adapter";
import type { Statements } from "./connection/statements.ts";
import type { ClassRow, EventRow, RankRow, SeriesRow, TaskRow } from "./rows/tables.ts";
import { blockOf, eventKey, IN_BLOCK, SERIES_COLUMNS, toStoredEvent } from "./rows/tables.ts";
import { updateTrimmedRanks } from "./rows/trimmed_ranks.ts";

/** A removed event. */
type RemovedRow = RankRow & Pick<EventRow, "timestamp" | "entropy" | "data" | "series">;

/** Part of a series that a step removes. */
interface SeriesLoss {
  row: SeriesRow;
  /** Number of events. */
  events: number;
  /** The newest event, if it is removed and the fold stays. */
  newest?: string;
}

/**
 * Removes events of a task, within a transaction. Never removes the newest.
 *
 * @returns The indexes of removed events, ascending.
 */
export function trimEvents(sql: Statements, row: TaskRow, { indexes, series }: Trim): number[] {
  const { task } = row;
  for (const name of series) deleteFold(sql, task, name);
  const ranks: RankRow[] = [];
  const losses = new Map<string, SeriesLoss | undefined>();
  let bytes = 0;
  for (const index of indexes) {
    if (index >= row.length - 1) continue; // The archiver compares the newest.
    const removed = sql.one<RemovedRow>(
      `DELETE FROM {events} WHERE event = ${eventKey("?", "?")} ` +
        "RETURNING idx, class, place, timestamp, entropy, data, series",
      task,
      index,
    );
    if (removed === undefined) continue;
    ranks.push({ idx: index, class: removed.class, place: removed.place });
    bytes += removed.data.length;
    addLoss(sql, task, losses, removed);
  }
  if (ranks.length === 0) return [];
  ranks.sort((a, b) => a.idx - b.idx);
  storeCounts(sql, task, ranks);
  removeEmptyBlocks(sql, task, ranks);
  updateTrimmedRanks(sql, task, ranks);
  for (const loss of losses.values()) if (loss !== undefined) updateSeries(sql, task, loss);
  sql.run(
    "UPDATE {tasks} SET trimmed_bytes = trimmed_bytes + ?, " +
      "trimmed_through = MAX(COALESCE(trimmed_through, -1), ?) WHERE task = ?",
    bytes,
    ranks.at(-1)!.idx,
    task,
  );
  return ranks.map(({ idx }) => idx);
}

/** Stores the number of events of each class, which no event shows once all are gone. */
function storeCounts(sql: Statements, task: number, ranks: readonly RankRow[]): void {
  const counts = new Map(ranks.map(({ class: id, place }) => [id, place + 1]));
  for (const [id, count] of counts) {
    sql.run(
      "UPDATE {classes} SET count = MAX(count, ?) WHERE task = ? AND class = ?",
      count,
      task,
      id,
    );
  }
}

/** Removes blocks without remaining events of a class. */
function removeEmptyBlocks(sql: Statements, task: number, ranks: readonly RankRow[]): void {
  const left = new Map<number, number>(); // The last checked block of each class.
  for (const { class: id, idx } of ranks) {
    const block = blockOf(idx);
    if (left.get(id) === block) continue;
    left.set(id, block);
    sql.run(
      "DELETE FROM {class_blocks} AS b WHERE b.task = ? AND b.class = ? AND b.block = ? " +
        `AND NOT EXISTS (SELECT 1 FROM {events} e WHERE ${IN_BLOCK})`,
      task,
      id,
      block,
    );
  }
}

/** Removes the fold of a series. Not for keep-all, whose events refer to the series row. */
function deleteFold(sql: Statements, task: number, series: string): void {
  sql.run("DELETE FROM {series_parts} WHERE task = ? AND series = ?", task, series);
  sql.run(
    "DELETE FROM {series} WHERE task = ? AND series = ? AND mode <> 'keep-all'",
    task,
    series,
  );
}

function addLoss(
  sql: Statements,
  task: number,
  losses: Map<string, SeriesLoss | undefined>,
  removed: RemovedRow,
): void {
  const { series } = removed;
  if (series === null) return;
  if (!losses.has(series)) {
    const row = sql.one<SeriesRow>(
      `SELECT ${SERIES_COLUMNS} FROM {series} WHERE task = ? AND series = ?`,
      task,
      series,
    );
    losses.set(series, row && { row, events: 0 });
  }
  const loss = losses.get(series);
  if (loss === undefined) return;
  loss.events++;
  const { mode, acc_field, newest } = loss.row;
  if (mode === "keep-all" || newest !== removed.idx) return;
  const { type, level } = sql.one<ClassRow>(
    "SELECT type, level FROM {classes} WHERE task = ? AND class = ?",
    task,
    removed.class,
  )!;
  loss.newest = JSON.stringify(toStoredEvent({ ...removed, type, level, mode, acc_field }));
}

function updateSeries(sql: Statements, task: number, { row, events, newest }: SeriesLoss): void {
  const { series, mode, left_events } = row;
  // Unknown for series older than this count.
  const left = left_events === null ? null : left_events - events;
  if (mode === "keep-all" && left === 0) {
    sql.run("DELETE FROM {series} WHERE task = ? AND series = ?", task, series);
    return;
  }
  sql.run(
    "UPDATE {series} SET left_events = ?, newest_event = COALESCE(?, newest_event) " +
      "WHERE task = ? AND series = ?",
    left,
    newest ?? null,
    task,
    series,
  );
}
