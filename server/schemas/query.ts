import type { EventFilter, SeriesFormat, TaskStatus } from "@taskcast/core/protocol";
import { BOUNDS, LEVELS, TASK_STATUSES } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import type { Wrap } from "../sse/encoder.ts";
import { single } from "./single.ts";
import { strict } from "./strict.ts";

/** The position to resume from, as a query gives it. */
export interface SinceQuery {
  "since.id"?: string;
  "since.index"?: number;
  "since.timestamp"?: number;
}

/** See {@linkcode streamQuery}. */
export interface StreamQuery extends EventFilter, SinceQuery {
  wrap?: Wrap;
  seriesFormat?: SeriesFormat;
  limit?: number;
  lastEventId?: string;
  ticket?: string;
}

/** See {@linkcode historyQuery}. */
export interface HistoryQuery extends EventFilter, SinceQuery {
  seriesFormat?: SeriesFormat;
  limit?: number;
}

/** See {@linkcode allEventsQuery}. */
export interface AllEventsQuery extends EventFilter {
  wrap?: Wrap;
  taskTypes?: string[];
  taskIds?: string[];
}

/** See {@linkcode listQuery}. */
export interface ListQuery {
  status?: TaskStatus[];
  type?: string[];
  tag?: string;
  priority?: number;
  limit?: number;
  cursor?: string;
}

/**
 * A comma-separated list, which may be split over several values; an empty list counts as absent.
 */
function commaList(description: string) {
  return described(pieces.optional(), { type: "string", description });
}

const pieces = z.array(z.string())
  .transform((values) =>
    values.flatMap((text) => text.split(",")).map((item) => item.trim()).filter((item) =>
      item !== ""
    )
  );

/** A comma-separated list of known words. */
function commaListOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return described(pieces.pipe(z.array(z.enum(words))).optional(), {
    type: "string",
    description: `Comma-separated list of ${words.join(", ")}`,
  });
}

function integer(min: number, max: number, description: string) {
  const problem = `must be an integer from ${min} to ${max}`;
  return single(
    z.string().regex(/^-?[0-9]{1,16}$/, problem).transform(Number)
      .refine((value) => value >= min && value <= max, problem),
    { type: "integer", minimum: min, maximum: max, description },
  ).optional();
}

function flag(description: string) {
  return single(z.enum(["true", "false"]).transform((text) => text === "true"), {
    type: "boolean",
    description,
  }).optional();
}

function word(description: string) {
  return single(z.string(), { description }).optional();
}

/**
 * A parameter whose last value counts: libraries append their value to the one in the original URL.
 */
function lastOf(description: string) {
  return described(z.array(z.string()).transform((values) => values.at(-1)!), {
    type: "string",
    description,
  }).optional();
}

// Functions, since each schema is made on first use; see task.ts.

const filters = () => ({
  types: commaList(
    "Comma-separated list; `*` matches every type, `a.b.*` types that start with `a.b.`, others exactly",
  ),
  levels: commaListOf(LEVELS),
  includeStatus: flag("`false` leaves out `taskcast:status` events"),
});

const since = () => ({
  "since.id": word("An event's id or a cursor"),
  "since.index": integer(
    -1,
    Number.MAX_SAFE_INTEGER,
    "The last `filteredIndex` seen under the same filter",
  ),
  "since.timestamp": integer(0, Number.MAX_SAFE_INTEGER, "Unix milliseconds, exclusive"),
});

const seriesFormat = () =>
  single(z.enum(["delta", "accumulated"]), {
    enum: ["delta", "accumulated"],
    description: "Format of accumulate series: each part, or the whole text so far",
  }).optional();

const WRAPS: Readonly<Record<string, Wrap>> = { true: true, false: false, event: "event" };

const wrap = () =>
  single(z.enum(["true", "false", "event"]).transform((text) => WRAPS[text]!), {
    enum: Object.keys(WRAPS),
    description:
      "`event` puts the event itself on the data line, `false` its bare `data`, and then " +
      "there is no `taskcast.open`",
  }).optional();

/** Query of `GET /tasks/:id/events`. */
export const streamQuery: z.ZodType<StreamQuery> = z.lazy(() =>
  strict({
    ...filters(),
    wrap: wrap(),
    seriesFormat: seriesFormat(),
    ...since(),
    limit: integer(
      0,
      Number.MAX_SAFE_INTEGER,
      "Replay at most the last N events, then continue live",
    ),
    lastEventId: lastOf(
      "Added by libraries that reconnect. Takes precedence over `since.id`; the header " +
        "`Last-Event-ID` takes precedence over it",
    ),
    ticket: word("Ticket, instead of a token"),
  })
);

/** Query of `GET /tasks/:id/events/history`. */
export const historyQuery: z.ZodType<HistoryQuery> = z.lazy(() =>
  strict({
    ...filters(),
    seriesFormat: seriesFormat(),
    ...since(),
    limit: integer(1, BOUNDS.historyPage, "At most N events after the cursor (1000)"),
  })
);

/** Query of `GET /events`. */
export const allEventsQuery: z.ZodType<AllEventsQuery> = z.lazy(() =>
  strict({
    ...filters(),
    wrap: wrap(),
    taskTypes: commaList("Only tasks of these types; wildcards as in `types`"),
    taskIds: commaList("Only these tasks"),
  })
);

/** Query of `GET /webhooks/undelivered` and `GET /displaced`. */
export const undeliveredQuery: z.ZodType<Pick<ListQuery, "limit" | "cursor">> = z.lazy(() =>
  strict({
    limit: integer(1, BOUNDS.listPage, "Tasks on a page (50)"),
    cursor: word("`nextCursor` of the page before"),
  })
);

/** Query of `POST /tasks`. */
export const createQuery: z.ZodType<{ ifExists?: "return" }> = z.lazy(() =>
  strict({
    ifExists: single(z.enum(["return"]), {
      enum: ["return"],
      description: "Returns a task that has the id already, instead of 409",
    }).optional(),
  })
);

/** Query of `GET /tasks`. */
export const listQuery: z.ZodType<ListQuery> = z.lazy(() =>
  strict({
    status: commaListOf(TASK_STATUSES),
    type: commaList("Only tasks of these types; `a.b.*` matches types that start with `a.b.`"),
    tag: word("Only tasks with this tag"),
    priority: integer(0, BOUNDS.priority, "Only tasks with this priority"),
    limit: integer(1, BOUNDS.listPage, "Tasks on a page (50)"),
    cursor: word("`nextCursor` of the page before"),
  })
);
