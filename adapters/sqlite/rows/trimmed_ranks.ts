import type { Statements } from "../connection/statements.ts";
import type { RankRow } from "./tables.ts";
import { eventKey, lastEventKey } from "./tables.ts";

// The matching events before an index are counted by the rank of the first event of each class at
// or after that index. So of the events trimmed between two remaining ones, only the first of each
// class is needed, unless the event before the gap is of that class: its own rank suffices. No rank
// is needed before the first remaining event, nor after the last, where the class stores its count.

/** Returns the ranks of one gap that must be kept. */
export function neededRanks(
  gap: readonly RankRow[],
  before: { class: number } | undefined,
): RankRow[] {
  if (before === undefined) return [];
  const known = new Set([before.class]);
  return gap.filter(({ class: id }) => {
    if (known.has(id)) return false;
    known.add(id);
    return true;
  });
}

/**
 * Keeps the needed ranks of events that have just been removed, and drops ranks around them that
 * are no longer needed. The cost is proportional to the number of removed events.
 *
 * @param removed In the order of their indexes.
 */
export function updateTrimmedRanks(
  sql: Statements,
  task: number,
  removed: readonly RankRow[],
): void {
  for (let at = 0; at < removed.length;) {
    const { idx } = removed[at]!;
    const before = sql.one<{ idx: number; class: number }>(
      `SELECT idx, class FROM {events} WHERE event >= ${eventKey("?", "0")} ` +
        `AND event < ${eventKey("?", "?")} ORDER BY event DESC LIMIT 1`,
      task,
      task,
      idx,
    );
    // It exists, since the newest event is never trimmed.
    const { idx: end } = sql.one<{ idx: number }>(
      `SELECT idx FROM {events} WHERE event > ${eventKey("?", "?")} ` +
        `AND event <= ${lastEventKey("?")} ORDER BY event LIMIT 1`,
      task,
      idx,
      task,
    )!;
    const known = sql.all<RankRow>(
      "SELECT idx, class, place FROM {trimmed} WHERE task = ? AND idx > ? AND idx < ?",
      task,
      before?.idx ?? -1,
      end,
    );
    const added: RankRow[] = [];
    for (; at < removed.length && removed[at]!.idx < end; at++) added.push(removed[at]!);
    const gap = [...known, ...added].sort((a, b) => a.idx - b.idx);
    const needed = new Set(neededRanks(gap, before));
    for (const rank of known) if (!needed.has(rank)) forget(sql, task, rank);
    for (const rank of added) if (needed.has(rank)) remember(sql, task, rank);
  }
}

function remember(sql: Statements, task: number, { idx, class: id, place }: RankRow): void {
  sql.run(
    "INSERT INTO {trimmed} (task, idx, class, place) VALUES (?, ?, ?, ?)",
    task,
    idx,
    id,
    place,
  );
}

function forget(sql: Statements, task: number, { idx }: RankRow): void {
  sql.run("DELETE FROM {trimmed} WHERE task = ? AND idx = ?", task, idx);
}
