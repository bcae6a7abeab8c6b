import type { EventDraft } from "@taskcast/core/adapter";
import { newSeriesKind, withEventKind } from "@taskcast/core/adapter";
import type { Changes } from "./rows/changes.ts";
import type { Keys } from "./keys.ts";
import { TAIL_CHARS } from "./limits.ts";
import type { SeriesState, TaskState } from "./rows/task_state.ts";
import { classKeyOf } from "./rows/task_state.ts";
import type { EventValue, FoldValue, PreparedDraft, ProducerValue } from "./rows/values.ts";
import { charsOf } from "./rows/values.ts";

/** Returns a draft whose long texts are stored separately. */
export function prepare(draft: EventDraft, changes: Changes): PreparedDraft {
  const { data, delta, ...rest } = draft;
  const prepared: PreparedDraft = { ...rest, data: changes.text(data) };
  if (delta !== undefined) prepared.delta = changes.text(delta);
  return prepared;
}

/**
 * Appends a checked draft to the log of a fully loaded state. The cost depends on the draft only,
 * not on the length of log or series.
 */
export function append(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  draft: PreparedDraft,
  nowMs: number,
): EventValue {
  const head = state.head!;
  const { life: storageId, length: index } = head;
  const { type, level, entropy, data, seriesId } = draft;
  const isPlain = state.isPlain(draft);
  const className = classKeyOf(draft, isPlain);
  let known = state.classes.get(className);
  const classes = known === undefined ? head.classes + 1 : head.classes;
  known ??= { no: classes, total: 0 };
  const at = Math.max(nowMs, head.lastMs);
  const value: EventValue = {
    at,
    entropy,
    type,
    level,
    data,
    classNo: known.no,
    place: known.total,
  };
  if (seriesId !== undefined) {
    const { mode, accField } = state.series.get(seriesId)?.series ??
      newSeriesKind(draft as EventDraft);
    Object.assign(value, { seriesId, mode });
    if (mode === "accumulate" && accField !== undefined) value.accField = accField;
  }

  changes.set(keys.event(storageId, index), value);
  changes.set(keys.rank(storageId, known.no, index), known.total);
  if (isPlain) changes.set(keys.rank(storageId, 0, index), 0);
  const counted = { no: known.no, total: known.total + 1 };
  state.classes.set(className, counted);
  changes.set(keys.eventClass(storageId, type, level, isPlain), counted);
  if (seriesId !== undefined) addToSeries(keys, state, changes, { index, value, draft });
  if (draft.producer !== undefined) addToProducer(keys, state, changes, draft.producer, index);
  state.head = {
    ...head,
    classes,
    length: index + 1,
    newest: { index, entropy },
    lastMs: at,
    dataChars: head.dataChars + charsOf(data),
  };
  return value;
}

function addToSeries(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  { index, value, draft }: { index: number; value: EventValue; draft: PreparedDraft },
): void {
  const { life: storageId } = state.head!;
  const seriesId = value.seriesId!;
  const mode = value.mode!;
  const { accField } = value;
  const before = state.series.get(seriesId);
  if (mode === "keep-all") {
    if (before !== undefined) return;
    const series = { mode };
    state.series.set(seriesId, { series });
    changes.set(keys.series(storageId, seriesId), series);
    return;
  }
  const old = before?.fold;
  const fold: FoldValue = {
    seriesId,
    mode,
    index,
    newest: value,
    classes: withEventKind(old?.classes ?? (old === undefined ? [] : null), value),
    era: old?.era ?? 0,
    parts: old?.parts ?? 0,
  };
  if (accField !== undefined) fold.accField = accField;
  if (mode === "accumulate") addText(keys, changes, storageId, fold, old, draft);
  const after: SeriesState = { series: { mode, newest: index }, fold };
  if (accField !== undefined) after.series.accField = accField;
  state.series.set(seriesId, after);
  if (old !== undefined) changes.delete(keys.fold(storageId, old.index));
  changes.set(keys.fold(storageId, index), fold);
  changes.set(keys.series(storageId, seriesId), after.series);
}

function addText(
  keys: Keys,
  changes: Changes,
  storageId: string,
  fold: FoldValue,
  old: FoldValue | undefined,
  { delta }: PreparedDraft,
): void {
  const { seriesId } = fold;
  if (delta === undefined) {
    if (fold.parts > 0) changes.discard(keys, storageId, ["part", seriesId, fold.era]);
    fold.era++;
    fold.parts = 0;
    return;
  }
  const tail = old?.tail ?? "";
  if (typeof delta === "string" && tail.length + delta.length < TAIL_CHARS) {
    fold.tail = tail + delta;
    return;
  }
  fold.tail = "";
  const parts = typeof delta === "string" ? [tail + delta] : [tail, delta];
  for (const part of parts) {
    if (part !== "") changes.set(keys.part(storageId, seriesId, fold.era, fold.parts++), part);
  }
}

function addToProducer(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  { id, epoch, seq }: NonNullable<EventDraft["producer"]>,
  index: number,
): void {
  const { life: storageId } = state.head!;
  const before = state.producers.get(id);
  let run = { seq, index, count: 1 };
  if (before?.epoch === epoch) {
    const last = before.run;
    if (last.index + last.count === index) run = { ...last, count: last.count + 1 };
    else {
      const { count } = last;
      changes.set(keys.run(storageId, id, epoch, last.seq), { index: last.index, count });
    }
  }
  const after: ProducerValue = { epoch, nextSeq: seq + 1, run };
  state.producers.set(id, after);
  changes.set(keys.producer(storageId, id), after);
}
