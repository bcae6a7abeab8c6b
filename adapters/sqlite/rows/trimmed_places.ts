import type { Statements } from "../connection/statements.ts";
import type { PlaceRow } from "./tables.ts";
import { eventKey, lastEventKey } from "./tables.ts";

// The matching events before an index are counted by the place of the first event of each class at
// that index or behind it. So of what was trimmed between two events that are left, the first of
// each class is needed, and that only if the event before the gap is of another class: its own place
// tells already. Nothing is needed before the first event that is left, nor behind the last: there
// the class knows how many events it had.

/** Which of the places in one gap must be remembered. */
export function neededPlaces(
  gap: readonly PlaceRow[],
  before: { class: number } | undefined,
): PlaceRow[] {
  if (before === undefined) return [];
  const known = new Set([before.class]);
  return gap.filter(({ class: id }) => {
    if (known.has(id)) return false;
    known.add(id);
    return true;
  });
}

/**
 * Remembers the places of events that have just been removed, as far as they are needed, and
 * forgets those around them that are needed no more. Costs in proportion to what was removed.
 *
 * @param removed In the order of their indexes.
 */
export function rememberPlaces(sql: Statements, task: number, removed: readonly PlaceRow[]): void {
  for (let at = 0; at < removed.length;) {
    const { idx } = removed[at]!;
    const before = sql.one<{ idx: number; class: number }>(
      `SELECT idx, class FROM {events} WHERE event >= ${eventKey("?", "0")} ` +
        `AND event < ${eventKey("?", "?")} ORDER BY event DESC LIMIT 1`,
      task,
      task,
      idx,
    );
    // There is one, since the newest event is never trimmed.
    const { idx: end } = sql.one<{ idx: number }>(
      `SELECT idx FROM {events} WHERE event > ${eventKey("?", "?")} ` +
        `AND event <= ${lastEventKey("?")} ORDER BY event LIMIT 1`,
      task,
      idx,
      task,
    )!;
    const known = sql.all<PlaceRow>(
      "SELECT idx, class, place FROM {trimmed} WHERE task = ? AND idx > ? AND idx < ?",
      task,
      before?.idx ?? -1,
      end,
    );
    const added: PlaceRow[] = [];
    for (; at < removed.length && removed[at]!.idx < end; at++) added.push(removed[at]!);
    const gap = [...known, ...added].sort((a, b) => a.idx - b.idx);
    const needed = new Set(neededPlaces(gap, before));
    for (const place of known) if (!needed.has(place)) forget(sql, task, place);
    for (const place of added) if (needed.has(place)) remember(sql, task, place);
  }
}

function remember(sql: Statements, task: number, { idx, class: id, place }: PlaceRow): void {
  sql.run(
    "INSERT INTO {trimmed} (task, idx, class, place) VALUES (?, ?, ?, ?)",
    task,
    idx,
    id,
    place,
  );
}

function forget(sql: Statements, task: number, { idx }: PlaceRow): void {
  sql.run("DELETE FROM {trimmed} WHERE task = ? AND idx = ?", task, idx);
}
