import type { Commit, EventDraft } from "@taskcast/core/adapter";
import type { Changes } from "./changes.ts";
import type { Run } from "../connection/database.ts";
import { readLeases, readsLease } from "./leases.ts";
import type { ClassRow, SeriesRow, TaskRow } from "./table_rows.ts";
import { TaskState } from "./task_state.ts";

/** The planned additions to a task. */
export interface Planned extends Pick<Partial<Commit>, "expect" | "lease" | "due"> {
  taskId: string;
  events: readonly EventDraft[];
}

/** The tasks that a transaction has locked and read. */
export interface Loaded {
  tasks: Map<string, TaskState>;
  /** Numbers for new tasks. */
  numbers: number[];
}

/**
 * Locks tasks, which need not exist, and reads what appending to them needs. All writers take these
 * locks in the same order.
 */
export async function load(
  run: Run,
  changes: Changes,
  planned: readonly Planned[],
  { newTasks, producers = false }: { newTasks: number; producers?: boolean },
): Promise<Loaded> {
  const ids = [...new Set(planned.map(({ taskId }) => taskId))];
  const classes = new Map<string, object>();
  const series = new Map<string, object>();
  const senders = new Map<string, object>();
  for (const { taskId: id, events } of planned) {
    let before: EventDraft | undefined;
    for (const draft of events) {
      const { type, level, seriesId, producer } = draft;
      // Mostly it is the same as the one before.
      if (type !== before?.type || level !== before.level) {
        classes.set(`${level} ${id} ${type}`, { id, type, level });
      }
      before = draft;
      if (seriesId !== undefined) series.set(`${id} ${seriesId}`, { id, series: seriesId });
      if (producers && producer !== undefined) {
        const { id: name, seq } = producer;
        senders.set(`${id} ${seq} ${name}`, { id, producer: name, seq });
      }
    }
  }
  const rows = async <Row extends object>(text: string, wanted: readonly object[]) =>
    wanted.length === 0 ? [] : await run<Row>(text, JSON.stringify(wanted));
  const leased = new Set(planned.filter(readsLease).map(({ taskId }) => taskId));
  const [, taskRows, numberRows, classRows, seriesRows, producerRows, leaseRows] = await Promise
    .all([
      lock(run, ids),
      rows<TaskRow>(SELECT_TASKS, ids.map((id) => ({ id }))),
      newTasks === 0 ? [] : run<{ number: string }>(SELECT_NUMBERS, newTasks),
      rows<ClassRow & { id: string }>(SELECT_CLASSES, [...classes.values()]),
      rows<SeriesRow & { id: string }>(SELECT_SERIES, [...series.values()]),
      rows<ProducerRow>(SELECT_PRODUCERS, [...senders.values()]),
      readLeases(run, [...leased]),
    ]);
  const tasks = new Map(taskRows.map((row) => [row.id, new TaskState(row, changes)]));
  for (const { id, ...row } of classRows) tasks.get(id)?.addClass(row);
  for (const { id, ...row } of seriesRows) tasks.get(id)?.addSeries(row);
  for (const { id, lease, at_ms: dueMs } of leaseRows) tasks.get(id)?.addLease(lease, dueMs);
  for (const [id, found] of Map.groupBy(producerRows, ({ id }) => id)) {
    for (const [name, sent] of Map.groupBy(found, ({ producer }) => producer)) {
      const { epoch, next_seq: nextSeq } = sent[0]!;
      const indexes = new Map(sent.map(({ seq, idx }) => [seq, idx]));
      const state = tasks.get(id);
      state?.addProducer(name, { epoch, nextSeq, indexOf: (seq) => indexes.get(seq)! });
      for (const { idx, trimmed } of sent) if (trimmed) state?.addTrimmed(idx);
    }
  }
  return { tasks, numbers: numberRows.map(({ number }) => Number(number)) };
}

/** Waits for other writers of these tasks and locks the tasks until the transaction ends. */
export async function lock(run: Run, ids: readonly string[]): Promise<void> {
  await run(LOCK, JSON.stringify(ids));
}

// In one order, so that overlapping writers never deadlock.
const LOCK = "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT " +
  "hashtextextended('{tasks}' || id, 0) AS key FROM json_array_elements_text($1::text::json) AS i (id) " +
  "ORDER BY key) AS keys";

const SELECT_TASKS = "SELECT t.task::float8, t.id, t.incarnation, t.version, t.status, " +
  "t.created_at::float8, t.length, t.bytes::float8, t.time::float8, t.classes, t.hooked " +
  "FROM json_to_recordset($1::text::json) AS r (id text) " +
  "JOIN LATERAL (SELECT * FROM {tasks} k WHERE k.id = r.id LIMIT 1) t ON true";

const SELECT_NUMBERS =
  "SELECT nextval('{task_numbers}')::text AS number FROM generate_series(1, $1::int)";

// Looks up each row by its key, whatever the statistics: a LIMIT prevents a join of whole tables.
// These rows are updated with each publish, so a scan passes over many versions; that took more
// than half of the time of a transaction with 32 publishes.
const EACH_TASK =
  "JOIN LATERAL (SELECT k.task FROM {tasks} k WHERE k.id = r.id LIMIT 1) t ON true ";

// A class exists once for standalone events and once for others.
const SELECT_CLASSES = "SELECT r.id, c.task::float8, c.class, c.type, c.level, c.plain, c.count " +
  `FROM json_to_recordset($1::text::json) AS r (id text, type text, level text) ${EACH_TASK}` +
  "JOIN LATERAL (SELECT * FROM {classes} k WHERE k.task = t.task AND k.type = r.type " +
  "AND k.level = r.level LIMIT 2) c ON true";

const SELECT_SERIES = "SELECT r.id, s.task::float8, s.series, s.mode, s.acc_field, s.newest, " +
  "s.is_text, s.first_part, s.parts, s.part_length, s.classes " +
  `FROM json_to_recordset($1::text::json) AS r (id text, series text) ${EACH_TASK}` +
  "JOIN LATERAL (SELECT * FROM {series} k WHERE k.task = t.task AND k.series = r.series LIMIT 1) s " +
  "ON true";

interface ProducerRow {
  id: string;
  producer: string;
  epoch: number;
  next_seq: number;
  seq: number | null;
  idx: number;
  /** The repeated event was removed from the log. */
  trimmed: boolean;
}

const SELECT_PRODUCERS = "SELECT r.id, p.producer, p.epoch::float8, p.next_seq::float8, " +
  "e.seq::float8, e.idx, CASE WHEN e.idx <= t.trimmed_through THEN (SELECT v.idx FROM {events} v " +
  "WHERE v.task = t.task AND v.idx = e.idx LIMIT 1) IS NULL ELSE false END AS trimmed " +
  "FROM json_to_recordset($1::text::json) " +
  "AS r (id text, producer text, seq bigint) " +
  "JOIN LATERAL (SELECT k.task, k.trimmed_through FROM {tasks} k WHERE k.id = r.id LIMIT 1) t ON true " +
  "JOIN LATERAL (SELECT * FROM {producers} k WHERE k.task = t.task AND k.producer = r.producer " +
  "LIMIT 1) p ON true LEFT JOIN LATERAL (SELECT k.seq, k.idx FROM {producer_events} k " +
  "WHERE k.task = t.task AND k.producer = r.producer AND k.seq = r.seq LIMIT 1) e ON true";
