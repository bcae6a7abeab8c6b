import { invalidInput } from "../../protocol/errors.ts";
import type { CleanupRule, TaskCleanup } from "../../protocol/cleanup.ts";
import { LEVELS, SERIES_MODES } from "../../protocol/event.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import { TERMINAL_STATUSES } from "../../protocol/status.ts";
import type { Fields } from "./checks.ts";
import { integer, list, object, oneOf, optional, text } from "./checks.ts";
import { assertTypePatterns } from "./query.ts";

const TARGETS = ["all", "events", "task"] as const;

/** The longest time in a rule: ten years. */
const MAX_MS = BOUNDS.ttlSeconds * 1_000;

/** Requires valid clean-up settings of a task. */
export function assertTaskCleanup(value: unknown, path: string): asserts value is TaskCleanup {
  const { rules } = object(value, path, ["rules"]);
  assertCleanupRules(rules, `${path}.rules`);
}

/**
 * Requires a list of clean-up rules.
 *
 * @param path The path of the list, for messages.
 * @throws {TaskcastError} `INVALID_INPUT` with the path of the invalid field.
 */
export function assertCleanupRules(value: unknown, path: string): asserts value is CleanupRule[] {
  list(value, path, BOUNDS.cleanupRules).forEach((rule, i) => assertRule(rule, `${path}[${i}]`));
}

function assertRule(value: unknown, path: string): void {
  const fields = object(value, path, ["name", "match", "trigger", "target", "eventFilter"]);
  optional(fields, path, "name", text);
  optional(fields, path, "match", (match, at) => {
    const conditions = object(match, at, ["taskTypes", "status"]);
    optional(conditions, at, "taskTypes", assertSomeTypes);
    someOf(conditions, at, "status", TERMINAL_STATUSES);
  });
  const trigger = object(fields.trigger, `${path}.trigger`, ["afterMs"]);
  integer(trigger.afterMs, `${path}.trigger.afterMs`, 0, MAX_MS);
  oneOf(fields.target, `${path}.target`, TARGETS);
  if (fields.eventFilter === undefined) return;
  if (fields.target !== "events") {
    throw invalidInput(`${path}.eventFilter`, `goes only with the target "events"`);
  }
  const filter = object(fields.eventFilter, `${path}.eventFilter`, [
    "types",
    "levels",
    "olderThanMs",
    "seriesMode",
  ]);
  optional(filter, `${path}.eventFilter`, "types", assertSomeTypes);
  someOf(filter, `${path}.eventFilter`, "levels", LEVELS);
  optional(filter, `${path}.eventFilter`, "olderThanMs", (v, at) => integer(v, at, 0, MAX_MS));
  optional(filter, `${path}.eventFilter`, "seriesMode", (v, at) => oneOf(v, at, SERIES_MODES));
}

/** An empty list could be read as everything or as nothing. */
function assertSomeTypes(value: unknown, path: string): void {
  assertTypePatterns(value, path);
  if ((value as unknown[]).length === 0) throw invalidInput(path, "must name a type");
}

function someOf(fields: Fields, path: string, key: string, allowed: readonly string[]): void {
  optional(fields, path, key, (value, at) => {
    const items = list(value, at, allowed.length);
    if (items.length === 0) throw invalidInput(at, `must name one of ${allowed.join(", ")}`);
    items.forEach((item, i) => oneOf(item, `${at}[${i}]`, allowed));
  });
}
