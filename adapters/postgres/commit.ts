import type { Commit, CommitResult, Refusal, StoredEvent } from "@taskcast/core/adapter";
import {
  checkProducers,
  checkSeries,
  isLive,
  isReplaced,
  WORK_KINDS,
} from "@taskcast/core/adapter";
import { isTerminal } from "@taskcast/core/protocol";
import type { Changes } from "./rows/changes.ts";
import type { TaskRow } from "./rows/table_rows.ts";
import { TaskState } from "./rows/task_state.ts";

/** A commit as it was decided: its repetitions are known by index, and still to be read. */
export type Decision =
  | { ok: false; refusal: Refusal }
  | { ok: true; events: (StoredEvent | number)[]; from: number; length: number; hooked: boolean };

/**
 * Decides on a commit and carries it out on what was read, or refuses it before anything changes.
 *
 * @param tasks The tasks that are locked; one that is created is added.
 * @param number For a task that is created.
 */
export function decide(
  tasks: Map<string, TaskState>,
  changes: Changes,
  commit: Commit,
  number: number,
): Decision {
  const { taskId, expect, events, nowMs, record, due, marks = {} } = commit;
  const known = tasks.get(taskId);
  if (expect === "absent") {
    if (known !== undefined) return refused({ code: "EXISTS" });
  } else {
    if (known === undefined) return refused({ code: "ABSENT" });
    const { version, incarnation } = known.row;
    if (isReplaced(expect, incarnation)) return refused({ code: "REPLACED" });
    if (!isLive(expect) && (version !== expect.version || incarnation !== expect.incarnation)) {
      return refused({ code: "CONFLICT" });
    }
  }
  let repeats: readonly (number | undefined)[] = [];
  if (isLive(expect)) {
    const state = known!;
    const checked = checkProducers(events, state.row.length, (id) => state.producer(id));
    if ("code" in checked) return refused(checked);
    repeats = checked.repeats;
    if (repeats.some((index) => index !== undefined && state.isTrimmed(index))) {
      // Only logs of tasks that have ended lose events.
      return refused({ code: "TERMINAL", status: state.row.status });
    }
    if (repeats.includes(undefined)) {
      const refusal = checkLive(state.row) ??
        checkSeries(events, repeats, (id) => state.seriesKind(id)) ??
        checkBounds(commit, state.row, repeats);
      if (refusal !== undefined) return refused(refusal);
    }
    state.sent(checked.progress);
  }
  const state = known ?? TaskState.create(number, record!, changes);
  tasks.set(taskId, state);
  const { row } = state;
  const from = row.length;
  const stored = events.map((draft, at) => repeats[at] ?? state.append(draft, nowMs));
  if (record !== undefined) {
    state.replace(record);
    changes.due(row.task, due ?? {});
  }
  if (record !== undefined || row.length > from) {
    for (const kind of WORK_KINDS) {
      const atMs = marks[kind];
      if (atMs === undefined || (kind === "deliver" && !row.hooked)) continue;
      changes.mark(row.task, kind, atMs);
    }
  }
  return { ok: true, events: stored, from, length: row.length, hooked: row.hooked };
}

/** A decision as the answer to who asked. */
export function resultOf(
  decision: Decision,
  eventAt: (index: number) => StoredEvent,
): CommitResult {
  if (!decision.ok) return decision;
  const { from, length, hooked } = decision;
  const events = decision.events.map((event) => typeof event === "number" ? eventAt(event) : event);
  return { ok: true, events, from, length, ...(hooked && { hooked }) };
}

function checkLive({ status }: TaskRow): Refusal | undefined {
  return isTerminal(status) ? { code: "TERMINAL", status } : undefined;
}

function checkBounds(
  { events, maxEvents, maxBytes }: Commit,
  { length, bytes }: TaskRow,
  repeats: readonly (number | undefined)[],
): Refusal | undefined {
  const fresh = events.filter((_, at) => repeats[at] === undefined);
  const added = fresh.reduce((sum, { data }) => sum + data.length, 0);
  const isFull = length + fresh.length > maxEvents || bytes + added > maxBytes;
  return isFull ? { code: "TASK_FULL" } : undefined;
}

function refused(refusal: Refusal): Decision {
  return { ok: false, refusal };
}
