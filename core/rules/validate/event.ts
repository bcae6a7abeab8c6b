import { invalidInput } from "../../protocol/errors.ts";
import type { EventInput } from "../../protocol/event.ts";
import { LEVELS, RESERVED_TYPE_PREFIX, SERIES_MODES } from "../../protocol/event.ts";
import { integer, join, object, oneOf, optional, text } from "./checks.ts";
import type { JsonLimits } from "./json.ts";
import { assertJson } from "./json.ts";

const EVENT_FIELDS = [
  "type",
  "level",
  "data",
  "seriesId",
  "seriesMode",
  "seriesAccField",
  "producerId",
  "producerSeq",
  "producerEpoch",
] as const satisfies readonly (keyof EventInput)[];

/**
 * Requires valid input for an event, but for its size, which is known once it is JSON.
 *
 * @param path Where the event stands in the request, e.g. `[3]`; empty when it stands alone.
 * @throws {TaskcastError} `INVALID_INPUT` with the field's path.
 */
export function assertEvent(
  input: unknown,
  path: string,
  limits: JsonLimits,
): asserts input is EventInput {
  const fields = object(input, path, EVENT_FIELDS);
  const type = text(fields.type, join(path, "type"));
  if (type.startsWith(RESERVED_TYPE_PREFIX)) {
    throw invalidInput(
      join(path, "type"),
      `must not begin with "${RESERVED_TYPE_PREFIX}": these events are written by the server`,
    );
  }
  optional(fields, path, "level", (value, at) => oneOf(value, at, LEVELS));
  if (fields.data === undefined) throw invalidInput(join(path, "data"), "is missing");
  assertJson(fields.data, join(path, "data"), limits);
  optional(fields, path, "seriesId", text);
  optional(fields, path, "seriesMode", (value, at) => oneOf(value, at, SERIES_MODES));
  optional(fields, path, "seriesAccField", text);
  for (const key of ["seriesMode", "seriesAccField"]) {
    if (fields[key] !== undefined && fields.seriesId === undefined) {
      throw invalidInput(join(path, key), "needs a seriesId");
    }
  }
  optional(fields, path, "producerId", text);
  const upTo = Number.MAX_SAFE_INTEGER;
  optional(fields, path, "producerSeq", (value, at) => integer(value, at, 0, upTo));
  optional(fields, path, "producerEpoch", (value, at) => integer(value, at, 0, upTo));
  if ((fields.producerId === undefined) !== (fields.producerSeq === undefined)) {
    throw invalidInput(join(path, "producerSeq"), "and producerId go only together");
  }
  if (fields.producerEpoch !== undefined && fields.producerId === undefined) {
    throw invalidInput(join(path, "producerEpoch"), "needs a producerId");
  }
}
