import type {
  Commit,
  EventDraft,
  SeriesFold,
  StoredEvent,
  WorkMarks,
} from "@taskcast/core/adapter";
import type { EventFilter, Level, SeriesMode } from "@taskcast/core/protocol";
import { isLive, matchesEverything, WORK_KINDS } from "@taskcast/core/adapter";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import type { Reply } from "./connection/client.ts";

// How commits and events travel to scripts and back. An event is kept as a JSON array of what is
// known of it, a line feed, and its data: JSON has no line feeds but those, so nothing is escaped.
// Series and timestamp come first in it. They are what scripts know, and without the bracket the
// name of the field of the entry in Redis, which keeps a mere number in few bytes; what goes on
// behind them is its value, as this side made it.

/** Where {@linkcode commitCall} leaves room for the number of the commit. */
export const NUMBER_AT = 1;

/** A commit as a call of a script, but for its number, which it gets when it is sent. */
export function commitCall(
  { taskId, expect, record, due, events, nowMs, maxEvents, maxBytes, marks = {} }: Commit,
  { session, publish }: {
    /** Numbers are of one session. */
    session: string;
    /** The command that tells of the commit, if one does. */
    publish: "PUBLISH" | "SPUBLISH" | "";
  },
): { script: "publish" | "commit"; args: string[] } {
  const args = [
    session,
    "",
    taskId,
    String(Math.round(nowMs)),
    String(maxEvents),
    String(maxBytes),
    text(marks.deliver),
    text(marks.archive),
    publish,
  ];
  const specials = events.reduce((count, draft) => count + (isSpecial(draft) ? 1 : 0), 0);
  const others = otherMarks(marks);
  const demanded = typeof expect === "object" && expect.live ? expect.incarnation : undefined;
  if (
    isLive(expect) && record === undefined && events.length > 0 && specials === 0 && others === ""
  ) {
    for (const draft of events) pushDraft(args, draft);
    if (demanded !== undefined) args.push(demanded);
    return { script: "publish", args };
  }
  const version = typeof expect === "object" && !expect.live ? expect : undefined;
  args.push(demanded === undefined ? nameOf(expect) : `in ${demanded}`);
  args.push(String(events.length), String(specials), others);
  for (const draft of events) pushDraft(args, draft);
  for (const [at, draft] of events.entries()) {
    if (isSpecial(draft)) pushSpecial(args, at + 1, draft);
  }
  if (record !== undefined) {
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
  }
  return { script: "commit", args };
}

function nameOf(expect: Commit["expect"]): string {
  if (expect === "absent") return expect;
  return isLive(expect) ? "live" : "at";
}

/** Returns the rare schedule entries of a commit. */
function otherMarks(marks: WorkMarks): string {
  let text = "";
  for (const kind of MARKED_SELDOM) {
    const atMs = marks[kind];
    if (atMs !== undefined) text += `${kind} ${atMs} `;
  }
  return text;
}

const MARKED_SELDOM = WORK_KINDS.filter((kind) => kind !== "deliver" && kind !== "archive");

function pushDraft(args: string[], { entropy, type, level, data }: EventDraft): void {
  const classOf = `${JSON.stringify(type)},"${level}"`;
  args.push(classOf, `,${entropy},${classOf}]\n${data}`);
}

/** Returns true if a draft has more than the fields of every event. */
function isSpecial({ seriesId, producer }: EventDraft): boolean {
  return seriesId !== undefined || producer !== undefined;
}

function pushSpecial(args: string[], number: number, draft: EventDraft): void {
  const { seriesId, seriesMode = "", accField = "", delta, producer } = draft;
  const inSeries = seriesId === undefined
    ? ""
    : delta !== undefined
    ? "sd"
    : draft.mustNotAccumulate
    ? "sn"
    : "s";
  args.push(String(number), inSeries + (producer === undefined ? "" : "p"));
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

/** An event as it is kept: how it begins, and how it goes on. */
export function toStoredEvent(index: number, begins: string, goesOn: string): StoredEvent {
  const seriesEnd = begins.lastIndexOf(",");
  const entropyEnd = goesOn.indexOf(",", 1);
  const end = goesOn.indexOf("\n", entropyEnd);
  const [type, level] = classes.parsed(goesOn, entropyEnd, end) as [string, Level];
  const event: StoredEvent = {
    index,
    timestamp: Number(begins.slice(seriesEnd + 1)),
    entropy: Number(goesOn.slice(1, entropyEnd)),
    type,
    level,
    data: goesOn.slice(end + 1),
  };
  if (seriesEnd < 0) return event;
  const [[seriesId, seriesMode, accField]] = series.parsed(begins, 0, seriesEnd) as [
    [string, SeriesMode, string?],
  ];
  event.seriesId = seriesId;
  event.seriesMode = seriesMode;
  if (accField !== undefined) event.accField = accField;
  return event;
}

/** Parses what stands in a text only if it is not the same as before, as it mostly is in a log. */
class Parser {
  #before = "";
  #parsed: unknown[] = [];
  readonly #toJson: (text: string) => string;

  constructor(toJson: (text: string) => string) {
    this.#toJson = toJson;
  }

  parsed(text: string, from: number, to: number): unknown[] {
    const before = this.#before;
    if (before.length === to - from && text.startsWith(before, from)) return this.#parsed;
    const found = text.slice(from, to);
    this.#parsed = JSON.parse(this.#toJson(found));
    this.#before = found;
    return this.#parsed;
  }
}

const classes = new Parser((text) => `[${text.slice(1)}`);
const series = new Parser((text) => `[${text}]`);

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
  const [name, mode, field, classes, index, begins, goesOn, said] = reply as [
    string,
    SeriesFold["mode"],
    string,
    string,
    number,
    string,
    string,
    string | null,
  ];
  const fold: SeriesFold = {
    seriesId: JSON.parse(name),
    mode,
    newest: toStoredEvent(index, begins, goesOn),
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
