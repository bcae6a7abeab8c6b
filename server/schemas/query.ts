import type { EventFilter, SeriesFormat, TaskStatus } from "@taskcast/core/protocol";
import { BOUNDS, LEVELS, TASK_STATUSES } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";

/** Where to go on, as a query says it. */
export interface SinceQuery {
  "since.id"?: string;
  "since.index"?: number;
  "since.timestamp"?: number;
}

/** See {@linkcode streamQuery}. */
export interface StreamQuery extends EventFilter, SinceQuery {
  wrap?: boolean;
  seriesFormat?: SeriesFormat;
  limit?: number;
  ticket?: string;
}

/** See {@linkcode historyQuery}. */
export interface HistoryQuery extends EventFilter, SinceQuery {
  seriesFormat?: SeriesFormat;
  limit?: number;
}

/** See {@linkcode allEventsQuery}. */
export interface AllEventsQuery extends EventFilter {
  wrap?: boolean;
  taskTypes?: string[];
  taskIds?: string[];
}

/** See {@linkcode listQuery}. */
export interface ListQuery {
  status?: TaskStatus[];
  type?: string[];
  tag?: string;
  limit?: number;
  cursor?: string;
}

/** A comma list; an empty one is none. */
function commaList(description: string) {
  return described(
    z.string().transform((text) => text.split(",").filter((item) => item !== "")).optional(),
    { type: "string", description },
  );
}

/** A comma list of known words. */
function commaListOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return described(
    z.string().transform((text) => text.split(",").filter((item) => item !== ""))
      .pipe(z.array(z.enum(words))).optional(),
    { type: "string", description: `Comma list of ${words.join(", ")}` },
  );
}

function integer(min: number, max: number, description: string) {
  const problem = `must be an integer from ${min} to ${max}`;
  return described(
    z.string().regex(/^-?[0-9]{1,16}$/, problem).transform(Number)
      .refine((value) => value >= min && value <= max, problem).optional(),
    { type: "integer", minimum: min, maximum: max, description },
  );
}

function flag(description: string) {
  return described(z.enum(["true", "false"]).transform((text) => text === "true").optional(), {
    type: "boolean",
    description,
  });
}

// Functions, since each schema is made when it is first asked for; see task.ts.

const filters = () => ({
  types: commaList(
    "Comma list; `*` is every type, `a.b.*` what starts with `a.b.`, anything else must be equal",
  ),
  levels: commaListOf(LEVELS),
  includeStatus: flag("`false` leaves out `taskcast:status` events"),
});

const since = () => ({
  "since.id": described(z.string().optional(), { description: "An event's id or a cursor" }),
  "since.index": integer(
    -1,
    Number.MAX_SAFE_INTEGER,
    "The last `filteredIndex` seen under the same filter",
  ),
  "since.timestamp": integer(0, Number.MAX_SAFE_INTEGER, "Unix milliseconds, exclusive"),
});

const seriesFormat = () =>
  described(z.enum(["delta", "accumulated"]).optional(), {
    description: "How accumulate series are told: each part, or the whole text so far",
  });

const wrap = () => flag("`false` puts the bare `data` on the data line");

/** Query of `GET /tasks/:id/events`. */
export const streamQuery: z.ZodType<StreamQuery> = z.lazy(() =>
  z.object({
    ...filters(),
    wrap: wrap(),
    seriesFormat: seriesFormat(),
    ...since(),
    limit: integer(0, Number.MAX_SAFE_INTEGER, "Replay at most the last N, then go on live"),
    ticket: described(z.string().optional(), { description: "Instead of a token" }),
  })
);

/** Query of `GET /tasks/:id/events/history`. */
export const historyQuery: z.ZodType<HistoryQuery> = z.lazy(() =>
  z.object({
    ...filters(),
    seriesFormat: seriesFormat(),
    ...since(),
    limit: integer(1, BOUNDS.historyPage, "The first N after the cursor (1000)"),
  })
);

/** Query of `GET /events`. */
export const allEventsQuery: z.ZodType<AllEventsQuery> = z.lazy(() =>
  z.object({
    ...filters(),
    wrap: wrap(),
    taskTypes: commaList("Only tasks of these types; wildcards as in `types`"),
    taskIds: commaList("Only these tasks"),
  })
);

/** Query of `GET /webhooks/undelivered` and `GET /displaced`. */
export const undeliveredQuery: z.ZodType<Pick<ListQuery, "limit" | "cursor">> = z.lazy(() =>
  z.object({
    limit: integer(1, BOUNDS.listPage, "Tasks on a page (50)"),
    cursor: described(z.string().optional(), { description: "`nextCursor` of the page before" }),
  })
);

/** Query of `GET /tasks`. */
export const listQuery: z.ZodType<ListQuery> = z.lazy(() =>
  z.object({
    status: commaListOf(TASK_STATUSES),
    type: commaList("Only tasks of these types; `a.b.*` is what starts with `a.b.`"),
    tag: z.string().optional(),
    limit: integer(1, BOUNDS.listPage, "Tasks on a page (50)"),
    cursor: described(z.string().optional(), { description: "`nextCursor` of the page before" }),
  })
);
