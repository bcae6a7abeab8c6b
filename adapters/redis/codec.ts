import type {
  Commit,
  EventDraft,
  SeriesFold,
  StoredEvent,
  WorkSchedule,
} from "@taskcast/core/adapter";
import type { EventFilter, Level, SeriesMode } from "@taskcast/core/protocol";
import {
  escapeJsonText,
  isLive,
  matchesEverything,
  unescapeJsonText,
  WORK_KINDS,
} from "@taskcast/core/adapter";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import type { Reply } from "./connection/client.ts";

// Encodes commits and events for scripts, and decodes replies. An event is stored as a JSON array
// of its metadata, a line feed, and its data. Compact JSON contains no line feeds, so nothing is
// escaped. Series and timestamp come first because only scripts know them. Without the bracket they
// are the field name of the stream entry, where Redis keeps a plain number in few bytes. The rest,
// made on this side, is the value.

/** Index at which {@linkcode commitCall} reserves space for the number of the commit. */
export const NUMBER_AT = 1;

/** Returns the script call for a commit; its number is filled in when it is sent. */
export function commitCall(
  { taskId, expect, record, due, events, nowMs, maxEvents, maxBytes, schedule = {}, lease }: Commit,
  { session, publish }: {
    /** The scope of commit numbers. */
    session: string;
    /** The command that announces the commit, if any. */
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
    text(schedule.deliver),
    text(schedule.archive),
    publish,
  ];
  const specials = events.reduce((count, draft) => count + (isSpecial(draft) ? 1 : 0), 0);
  const others = otherTimes(schedule);
  const demanded = typeof expect === "object" && expect.live ? expect.incarnation : undefined;
  if (
    isLive(expect) && record === undefined && events.length > 0 && specials === 0 &&
    others === "" && lease === undefined
  ) {
    for (const draft of events) pushDraft(args, draft);
    if (demanded !== undefined) args.push(demanded);
    return { script: "publish", args };
  }
  const version = typeof expect === "object" && !expect.live ? expect : undefined;
  const expected = demanded === undefined ? nameOf(expect) : `in ${demanded}`;
  args.push(lease === undefined ? expected : `${expected} under ${lease}`);
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
      task.priority ? String(task.priority) : "",
      record.lease ?? "",
      due?.lease === "keep" ? "keep" : text(due?.lease),
      text(version?.leaseBy),
    );
  }
  return { script: "commit", args };
}

function nameOf(expect: Commit["expect"]): string {
  if (expect === "absent") return expect;
  return isLive(expect) ? "live" : "at";
}

/** Returns the rare work that a commit schedules. */
function otherTimes(schedule: WorkSchedule): string {
  let text = "";
  for (const kind of MARKED_SELDOM) {
    const atMs = schedule[kind];
    if (atMs !== undefined) text += `${kind} ${atMs} `;
  }
  return text;
}

const MARKED_SELDOM = WORK_KINDS.filter((kind) => kind !== "deliver" && kind !== "archive");

function pushDraft(args: string[], { entropy, type, level, data }: EventDraft): void {
  const classOf = `${JSON.stringify(type)},"${level}"`;
  args.push(classOf, `,${entropy},${classOf}]\n${data}`);
}

/** Returns whether a draft needs more than the fields that every event has. */
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
    if (delta !== undefined) args.push(escapeJsonText(delta));
  }
  if (producer !== undefined) {
    args.push(producer.id, String(producer.epoch), String(producer.seq));
  }
}

/**
 * The start of every script, except those that read the generation together with something else.
 */
export function text(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}

/** Returns a filter as an argument; the empty string matches everything. */
export function filterArg(filter: EventFilter | undefined): string {
  if (filter === undefined || matchesEverything(filter)) return "";
  const { types = [], levels = [], includeStatus = true } = filter;
  return JSON.stringify({
    ...(types.length > 0 && { types }),
    ...(levels.length > 0 && { levels }),
    ...(!includeStatus && { without: SERVER_EVENT.status }),
  });
}

/** Returns a stored event from the field and value of its stream entry. */
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

/** Caches the result of parsing the previous text, since neighbors in a log are often equal. */
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

/** Returns a draft as it was stored; `resolved` is the series as the store knew it. */
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

/** Returns a fold from a script's reply. */
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
    eventKinds: classes === ""
      ? null
      : JSON.parse(classes).map(([type, level]: [string, Level]) => ({ type, level })),
  };
  if (field !== "") fold.accField = JSON.parse(field);
  if (said !== null) fold.text = unescapeJsonText(said);
  return fold;
}
