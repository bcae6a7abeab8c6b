import { invalidInput, TaskcastError } from "../protocol/errors.ts";
import type { EventFilter, EventInput, SeriesFormat, Since } from "../protocol/event.ts";
import { LEVELS, RESERVED_TYPE_PREFIX, SERIES_MODES } from "../protocol/event.ts";
import type { Limits } from "../protocol/limits.ts";
import { BOUNDS, TASK_ID_PATTERN } from "../protocol/limits.ts";
import type { CreateTaskInput, TaskStatus, TransitionOptions } from "../protocol/task.ts";
import { SCOPES, TASK_STATUSES } from "../protocol/task.ts";

// What comes in may come from anywhere, so everything here takes `unknown` and proves it.

type Fields = Record<string, unknown>;

/** Bounds of JSON values. */
export type JsonLimits = Pick<Limits, "maxJsonDepth">;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Requires an object with none but the known fields. */
function object(value: unknown, path: string, known?: readonly string[]): Fields {
  if (!isObject(value)) throw invalidInput(path, "must be an object");
  if (known !== undefined) {
    for (const key of Object.keys(value)) {
      if (!known.includes(key) && value[key] !== undefined) {
        throw invalidInput(join(path, key), `is not known; known are ${known.join(", ")}`);
      }
    }
  }
  return value;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** Requires a string of 1 to `max` characters. */
function text(value: unknown, path: string, max: number = BOUNDS.nameLength): string {
  if (typeof value !== "string") throw invalidInput(path, "must be a string");
  if (value.length === 0 || value.length > max) {
    throw invalidInput(path, `must have 1 to ${max} characters, and has ${value.length}`);
  }
  return value;
}

function oneOf(value: unknown, path: string, allowed: readonly string[]): string {
  if (typeof value !== "string" || !allowed.includes(value)) {
    throw invalidInput(path, `must be one of ${allowed.join(", ")}`);
  }
  return value;
}

function integer(value: unknown, path: string, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalidInput(path, `must be an integer from ${min} to ${max}`);
  }
  return value as number;
}

function number(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw invalidInput(path, `must be a number from ${min} to ${max}`);
  }
  return value;
}

function list(value: unknown, path: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw invalidInput(path, "must be an array");
  if (value.length > max) {
    throw invalidInput(path, `must have at most ${max} items, and has ${value.length}`);
  }
  return value;
}

function texts(value: unknown, path: string, max: number): void {
  list(value, path, max).forEach((item, i) => text(item, `${path}[${i}]`));
}

/** Calls `check` where the field is given; `null` counts as given, and is then most often wrong. */
function optional(
  fields: Fields,
  path: string,
  key: string,
  check: (value: unknown, path: string) => unknown,
): void {
  if (fields[key] !== undefined) check(fields[key], join(path, key));
}

/**
 * Requires a value that survives `JSON.stringify` unchanged: no cycles, functions, `NaN` …, and no
 * more levels than allowed. What JSON leaves out of objects (`undefined`) is let through.
 */
export function assertJson(value: unknown, path: string, { maxJsonDepth }: JsonLimits): void {
  const walk = (value: unknown, path: string, depth: number): void => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return;
      case "number":
        if (!Number.isFinite(value)) throw invalidInput(path, `must be JSON, and is ${value}`);
        return;
      case "object":
        break;
      default:
        throw invalidInput(path, `must be JSON, and is ${typeof value}`);
    }
    if (value === null) return;
    if (depth >= maxJsonDepth) {
      throw invalidInput(path, `must not be nested deeper than ${maxJsonDepth} levels`);
    }
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) walk(value[i], `${path}[${i}]`, depth + 1);
      return;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw invalidInput(
        path,
        "must be JSON: a plain object, array, string, number, boolean or null",
      );
    }
    for (const key in value) {
      const member = (value as Fields)[key];
      if (member !== undefined) walk(member, join(path, key), depth + 1);
    }
  };
  walk(value, path, 0);
}

function jsonObject(limits: JsonLimits): (value: unknown, path: string) => void {
  return (value, path) => {
    object(value, path);
    assertJson(value, path, limits);
  };
}

/** Requires a task id. */
export function assertTaskId(id: unknown, path = "id"): asserts id is string {
  if (typeof id !== "string" || !TASK_ID_PATTERN.test(id)) {
    throw invalidInput(
      path,
      `must have 1 to ${BOUNDS.taskIdLength} characters of A-Z a-z 0-9 . _ : ~ -`,
    );
  }
}

/** Requires a state. */
export function assertStatus(status: unknown, path = "status"): asserts status is TaskStatus {
  oneOf(status, path, TASK_STATUSES);
}

const CREATE_FIELDS = [
  "id",
  "type",
  "params",
  "metadata",
  "tags",
  "ttl",
  "authConfig",
  "assignMode",
  "cost",
  "disconnectPolicy",
] as const satisfies readonly (keyof CreateTaskInput)[];

/**
 * Requires valid input for a new task.
 *
 * @throws {TaskcastError} `INVALID_INPUT` with the field's path, `PAYLOAD_TOO_LARGE`,
 * `NOT_SUPPORTED` for what this version cannot do.
 */
export function assertCreateTask(
  input: unknown,
  limits: Limits,
): asserts input is CreateTaskInput {
  const fields = object(input, "");
  for (const later of ["webhooks", "cleanup"]) {
    // Refused rather than stored: a webhook that is never delivered is worse than an error.
    if (fields[later] !== undefined) {
      throw new TaskcastError("NOT_SUPPORTED", `"${later}" is not supported by this version`, {
        details: { path: later },
      });
    }
  }
  object(input, "", CREATE_FIELDS);
  if (fields.id !== undefined) assertTaskId(fields.id);
  optional(fields, "", "type", text);
  optional(fields, "", "params", jsonObject(limits));
  optional(fields, "", "metadata", jsonObject(limits));
  optional(fields, "", "tags", (value, path) => texts(value, path, BOUNDS.tags));
  optional(fields, "", "ttl", assertTtl);
  optional(fields, "", "authConfig", (value, path) => assertAuthConfig(value, path, limits));
  optional(fields, "", "assignMode", text);
  optional(fields, "", "cost", (value, path) => number(value, path, 0, Number.MAX_SAFE_INTEGER));
  optional(fields, "", "disconnectPolicy", text);
  assertBytes(input, "The task", limits.maxTaskBytes);
}

function assertTtl(value: unknown, path: string): void {
  if (number(value, path, 0, BOUNDS.ttlSeconds) === 0) {
    throw invalidInput(path, "must be more than 0 seconds");
  }
}

function assertAuthConfig(value: unknown, path: string, limits: JsonLimits): void {
  const { rules } = object(value, path, ["rules"]);
  list(rules, `${path}.rules`, BOUNDS.authRules).forEach((rule, i) => {
    const at = `${path}.rules[${i}]`;
    const { match, require } = object(rule, at, ["match", "require"]);
    const { scope } = object(match, `${at}.match`, ["scope"]);
    const scopes = list(scope, `${at}.match.scope`, SCOPES.length);
    if (scopes.length === 0) throw invalidInput(`${at}.match.scope`, "must name a scope");
    scopes.forEach((item, j) => oneOf(item, `${at}.match.scope[${j}]`, SCOPES));
    const needs = object(require, `${at}.require`, ["sub", "claims"]);
    if (needs.sub === undefined && needs.claims === undefined) {
      throw invalidInput(`${at}.require`, "must have sub or claims");
    }
    optional(needs, `${at}.require`, "sub", (v, p) => texts(v, p, BOUNDS.listItems));
    optional(needs, `${at}.require`, "claims", jsonObject(limits));
  });
}

/**
 * Requires valid options for a transition to `to`.
 *
 * @throws {TaskcastError} `INVALID_INPUT` with the field's path, `PAYLOAD_TOO_LARGE`.
 */
export function assertTransition(
  to: unknown,
  options: unknown,
  limits: Limits,
): asserts options is TransitionOptions {
  assertStatus(to);
  const fields = object(options, "", [
    "result",
    "error",
    "reason",
    "ttl",
    "resumeAfterMs",
    "blockedRequest",
  ]);
  optional(fields, "", "result", jsonObject(limits));
  optional(fields, "", "error", (value, path) => {
    const error = object(value, path, ["code", "message", "details"]);
    optional(error, path, "code", text);
    text(error.message, `${path}.message`, limits.maxTaskBytes);
    optional(error, path, "details", jsonObject(limits));
  });
  optional(fields, "", "reason", (value, path) => text(value, path, BOUNDS.reasonLength));
  optional(fields, "", "ttl", assertTtl);
  for (const key of ["resumeAfterMs", "blockedRequest"]) {
    if (fields[key] !== undefined && to !== "blocked") {
      throw invalidInput(key, `goes only with the status "blocked"`);
    }
  }
  optional(
    fields,
    "",
    "resumeAfterMs",
    (value, path) => integer(value, path, 0, BOUNDS.ttlSeconds * 1000),
  );
  optional(fields, "", "blockedRequest", (value, path) => {
    const request = object(value, path, ["type", "data"]);
    text(request.type, `${path}.type`);
    optional(request, path, "data", (v, p) => assertJson(v, p, limits));
  });
  assertBytes(options, "The transition", limits.maxTaskBytes);
}

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

/** Requires at most one way to say where a reader goes on. */
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

const encoder = new TextEncoder();

/** Bytes of a text as UTF-8. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

function assertBytes(value: unknown, what: string, max: number): void {
  const json = JSON.stringify(value);
  // A character is at most three bytes of UTF-8, so most texts need not be measured.
  if (json.length * 3 > max && utf8Bytes(json) > max) {
    throw new TaskcastError("PAYLOAD_TOO_LARGE", `${what} must have at most ${max} bytes of JSON`, {
      details: { maxBytes: max },
    });
  }
}
