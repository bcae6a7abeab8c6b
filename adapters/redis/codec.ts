import type { Commit, EventDraft, SeriesFold, StoredEvent, WorkMarks } from "@taskcast/core";
import type { EventFilter, Level, SeriesMode } from "@taskcast/core/protocol";
import { matchesEverything, WORK_KINDS } from "@taskcast/core";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import type { Reply } from "./client.ts";

// How commits and events travel to scripts and back. An event is kept as a JSON array of what is
// known of it, a line feed, and its data: JSON has no line feeds but those, so nothing is escaped.

/** Where {@linkcode commitArgs} leaves room for the number of the commit. */
export const NUMBER_AT = 1;

/** A commit as the arguments of its script, but for its number, which it gets when it is sent. */
export function commitArgs(
  { taskId, expect, record, due, events, nowMs, maxEvents, maxBytes, marks = {} }: Commit,
  { session, publish }: {
    /** Numbers are of one session. */
    session: string;
    /** The command that tells of the commit, if one does. */
    publish: "PUBLISH" | "SPUBLISH" | "";
  },
): string[] {
  const version = typeof expect === "object" ? expect : undefined;
  const args = [
    session,
    "",
    taskId,
    version === undefined ? expect as string : "at",
    String(Math.round(nowMs)),
    String(maxEvents),
    String(maxBytes),
    text(marks.deliver),
    otherMarks(marks),
    publish,
    String(events.length),
  ];
  for (const draft of events) pushDraft(args, draft);
  if (record === undefined) return args;
  const { task, incarnation } = record;
  args.push(
    JSON.stringify(record),
    String(record.version),
    incarnation,
    task.status,
    String(task.createdAt),
    JSON.stringify([...new Set(task.tags)]),
    text(due?.deadline),
    text(due?.wake),
    task.type ?? "",
    record.hooked ? "1" : "",
    version === undefined ? "" : String(version.version),
    version?.incarnation ?? "",
  );
  return args;
}

/** What every task is marked for: `deliver` is only for those that are hooked. */
function otherMarks(marks: WorkMarks): string {
  let text = "";
  for (const kind of MARKED_ALWAYS) {
    const atMs = marks[kind];
    if (atMs !== undefined) text += `${kind} ${atMs} `;
  }
  return text;
}

const MARKED_ALWAYS = WORK_KINDS.filter((kind) => kind !== "deliver");

function pushDraft(args: string[], draft: EventDraft): void {
  const { entropy, type, level, data, seriesId, seriesMode = "", accField = "" } = draft;
  const { delta, producer } = draft;
  const inSeries = seriesId === undefined ? "" : delta === undefined ? "s" : "sd";
  args.push(
    inSeries + (producer === undefined ? "" : "p"),
    String(entropy),
    `${JSON.stringify(type)},"${level}"`,
    data,
  );
  if (seriesId !== undefined) {
    args.push(JSON.stringify(seriesId), seriesMode, JSON.stringify(accField));
    if (delta !== undefined) args.push(escaped(delta));
  }
  if (producer !== undefined) {
    args.push(producer.id, String(producer.epoch), String(producer.seq));
  }
}

/** A number as an argument; nothing is the empty text. */
export function text(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}

/** A filter as an argument; the empty text takes everything. */
export function filterArg(filter: EventFilter | undefined): string {
  if (filter === undefined || matchesEverything(filter)) return "";
  const { types = [], levels = [], includeStatus = true } = filter;
  return JSON.stringify({
    ...(types.length > 0 && { types }),
    ...(levels.length > 0 && { levels }),
    ...(!includeStatus && { without: SERVER_EVENT.status }),
  });
}

/** An event as it is kept. */
export function toStoredEvent(index: number, kept: string): StoredEvent {
  const end = kept.indexOf("\n");
  const [timestamp, entropy, type, level, seriesId, seriesMode, accField] = JSON.parse(
    kept.slice(0, end),
  );
  const event: StoredEvent = { index, timestamp, entropy, type, level, data: kept.slice(end + 1) };
  if (seriesId !== undefined) event.seriesId = seriesId;
  if (seriesMode !== undefined) event.seriesMode = seriesMode;
  if (accField !== undefined) event.accField = accField;
  return event;
}

/** A draft as it was stored; `resolved` is what the store knew of its series. */
export function asStored(
  draft: EventDraft,
  index: number,
  timestamp: number,
  resolved?: { mode: SeriesMode; field: string },
): StoredEvent {
  const { entropy, type, level, data, seriesId, accField } = draft;
  const event: StoredEvent = { index, timestamp, entropy, type, level, data };
  if (seriesId === undefined) return event;
  const mode = resolved?.mode ?? draft.seriesMode!;
  event.seriesId = seriesId;
  event.seriesMode = mode;
  if (mode !== "accumulate") return event;
  event.accField = resolved === undefined ? accField : JSON.parse(resolved.field);
  return event;
}

/** A fold as a script answers it. */
export function toFold(reply: Reply): SeriesFold {
  const [name, mode, field, classes, index, kept, said] = reply as [
    string,
    SeriesFold["mode"],
    string,
    string,
    number,
    string,
    string | null,
  ];
  const fold: SeriesFold = {
    seriesId: JSON.parse(name),
    mode,
    newest: toStoredEvent(index, kept),
    classes: classes === ""
      ? null
      : JSON.parse(classes).map(([type, level]: [string, Level]) => ({ type, level })),
  };
  if (field !== "") fold.accField = JSON.parse(field);
  if (said !== null) fold.text = JSON.parse(`"${said}"`);
  return fold;
}

// As it stands between the quotes of JSON: so texts can be joined, also where a character is split.
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
