import { accumulatedValue } from "../../protocol/accumulated.ts";
import { invalidInput } from "../../protocol/errors.ts";
import type { EventInput } from "../../protocol/event.ts";
import {
  DEFAULT_ACC_FIELD,
  LEVELS,
  RESERVED_TYPE_PREFIX,
  SERIES_MODES,
} from "../../protocol/event.ts";
import type { Fields } from "./checks.ts";
import { assertNotReserved, integer, join, object, oneOf, optional, text } from "./checks.ts";
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
 * Requires valid input for an event, except for its size, which is checked once it is JSON.
 *
 * @param path The path of the event in the request, e.g. `[3]`; empty for a single event.
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
  optional(fields, path, "level", level);
  if (fields.data === undefined) throw invalidInput(join(path, "data"), "is missing");
  assertJson(fields.data, join(path, "data"), limits);
  optional(fields, path, "seriesId", text);
  optional(fields, path, "seriesMode", seriesMode);
  optional(fields, path, "seriesAccField", text);
  if (fields.seriesId === undefined) {
    refuse(fields, path, "seriesMode", "needs a seriesId");
    refuse(fields, path, "seriesAccField", "needs a seriesId");
  }
  if (fields.seriesMode === "accumulate") {
    const field = fields.seriesAccField as string | undefined ?? DEFAULT_ACC_FIELD;
    if (accumulatedValue(fields.data, field) === undefined) {
      throw invalidInput(join(path, "seriesAccField"), needsDelta(field));
    }
  }
  optional(fields, path, "producerId", producerId);
  optional(fields, path, "producerSeq", count);
  optional(fields, path, "producerEpoch", count);
  if ((fields.producerId === undefined) !== (fields.producerSeq === undefined)) {
    throw invalidInput(join(path, "producerSeq"), "and producerId go only together");
  }
  if (fields.producerId === undefined) {
    refuse(fields, path, "producerEpoch", "needs a producerId");
  }
}

/** Returns the error for data without the field that an `accumulate` series appends. */
export function needsDelta(accField: string): string {
  return `must name a field of data that holds a string, or null to begin anew, and data has no ` +
    `such field ${JSON.stringify(accField)}`;
}

// Module-level functions: closures created for each event would cost more than the checks.

function level(value: unknown, path: string): void {
  oneOf(value, path, LEVELS);
}

function seriesMode(value: unknown, path: string): void {
  oneOf(value, path, SERIES_MODES);
}

function producerId(value: unknown, path: string): void {
  assertNotReserved(text(value, path), path);
}

function count(value: unknown, path: string): void {
  integer(value, path, 0, Number.MAX_SAFE_INTEGER);
}

/** Requires that a field is absent. */
function refuse(fields: Fields, path: string, key: keyof EventInput, why: string): void {
  if (fields[key] !== undefined) throw invalidInput(join(path, key), why);
}
