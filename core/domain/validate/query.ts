import { invalidInput } from "../../protocol/errors.ts";
import type { EventFilter, SeriesFormat, Since } from "../../protocol/event.ts";
import { LEVELS } from "../../protocol/event.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import { integer, list, number, object, oneOf, optional, text, texts } from "./checks.ts";

const PATTERN = /^(\*|[^*]+|[^*]+\.\*)$/;

/** Requires type patterns: `*`, `a.b.*`, or a type. */
export function assertTypePatterns(value: unknown, path = "types"): void {
  texts(value, path, BOUNDS.listItems);
  (value as string[]).forEach((pattern, i) => {
    if (!PATTERN.test(pattern)) {
      throw invalidInput(`${path}[${i}]`, 'must be a type, "*", or end with ".*"');
    }
  });
}

/** Requires an object. Its fields are checked one by one. */
export function assertOptions(value: unknown, path = "options"): void {
  object(value, path);
}

/** Requires a filter. */
export function assertFilter(value: unknown, path = "filter"): asserts value is EventFilter {
  const fields = object(value, path, ["types", "levels", "includeStatus"]);
  optional(fields, path, "types", assertTypePatterns);
  optional(
    fields,
    path,
    "levels",
    (levels, at) =>
      list(levels, at, BOUNDS.listItems).forEach((level, i) => oneOf(level, `${at}[${i}]`, LEVELS)),
  );
  optional(fields, path, "includeStatus", (flag, at) => {
    if (typeof flag !== "boolean") throw invalidInput(at, "must be true or false");
  });
}

/** Requires at most one field of a position. */
export function assertSince(value: unknown, path = "since"): asserts value is Since {
  const fields = object(value, path, ["id", "index", "timestamp"]);
  if (Object.values(fields).filter((field) => field !== undefined).length > 1) {
    throw invalidInput(path, "must be one of id, index and timestamp");
  }
  optional(fields, path, "id", text);
  optional(fields, path, "index", (v, p) => integer(v, p, -1, Number.MAX_SAFE_INTEGER));
  optional(fields, path, "timestamp", (v, p) => number(v, p, 0, Number.MAX_SAFE_INTEGER));
}

/** Requires a format. */
export function assertSeriesFormat(value: unknown): asserts value is SeriesFormat {
  oneOf(value, "seriesFormat", ["delta", "accumulated"]);
}

/** Requires a whole number in a range. */
export function assertCount(
  value: unknown,
  path: string,
  min: number,
  max: number,
): asserts value is number {
  integer(value, path, min, max);
}
