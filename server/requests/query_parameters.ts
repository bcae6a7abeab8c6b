import type { HonoRequest } from "hono";
import { z } from "zod";
import { invalidInput } from "@taskcast/core/protocol";
import { parse } from "./parse.ts";

/** Query parameters by name, each with all its values. */
export type QueryParameters = Readonly<Record<string, readonly string[]>>;

const NONE: QueryParameters = {};

/** Reads the query of a request. Most requests have none. */
export function queryOf(request: HonoRequest): QueryParameters {
  return request.raw.url.includes("?") ? request.queries() : NONE;
}

/** Prefix of ignored parameters, such as `_=1764540000` to bypass caches. */
const FOREIGN_PREFIX = "_";

/**
 * Requires that no ignored name is a parameter of an operation: an ignored filter would let
 * everything through.
 *
 * @throws {TypeError} With the name.
 */
export function assertForeign(ignored: readonly string[], schema: z.ZodType | undefined): void {
  if (ignored.length === 0) return;
  const object = schema instanceof z.ZodLazy ? schema.unwrap() : schema;
  if (!(object instanceof z.ZodObject)) return;
  const ours = ignored.find((name) => Object.hasOwn(object.shape, name));
  if (ours !== undefined) {
    throw new TypeError(`ignoredParameters must not have "${ours}": it is a parameter of Taskcast`);
  }
}

/**
 * Validates the parameters of a query. Unknown ones are refused: they were probably meant as
 * filters, and without a filter everything would be returned.
 *
 * @param ignored Names to ignore, besides those that begin with `_`.
 * @throws {TaskcastError} `INVALID_INPUT` with the name of the parameter.
 */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema | undefined,
  parameters: QueryParameters,
  ignored: readonly string[],
): z.output<Schema> | undefined {
  if (schema === undefined && parameters === NONE) return undefined;
  const ours = Object.entries(parameters)
    .filter(([name]) => !name.startsWith(FOREIGN_PREFIX) && !ignored.includes(name));
  if (schema !== undefined) return parse(schema, Object.fromEntries(ours));
  if (ours.length > 0) throw invalidInput(ours[0]![0], "is not known; this takes no parameters");
  return undefined;
}
