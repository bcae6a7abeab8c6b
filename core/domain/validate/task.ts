import { invalidInput, TaskcastError } from "../../protocol/errors.ts";
import type { Limits } from "../../protocol/limits.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import type { CreateTaskInput, TakeLeaseRequest, TransitionOptions } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { SCOPES } from "../../protocol/task.ts";
import { TASK_STATUSES } from "../../protocol/status.ts";
import { assertTaskId } from "../../protocol/task_id.ts";
import {
  assertBytes,
  assertNotReserved,
  integer,
  list,
  number,
  object,
  oneOf,
  optional,
  text,
  texts,
} from "./checks.ts";
import type { JsonLimits } from "./json.ts";
import { assertJson, jsonObject } from "./json.ts";
import { assertTaskCleanup } from "./cleanup.ts";
import { assertWebhooks } from "./webhook.ts";
import { KEYED_ID_PREFIX } from "../idempotency.ts";

/** Requires a valid incarnation, if one is given. */
export function assertIncarnation(value: unknown): asserts value is string | undefined {
  if (value !== undefined) text(value, "incarnation");
}

/** Returns the incarnation that a call names, if it names one. */
export function incarnationOf(options?: { incarnation?: string }): string | undefined {
  if (options === undefined) return undefined; // Shared by all publishes without options.
  const { incarnation } = object(options, "options");
  assertIncarnation(incarnation);
  return incarnation;
}

const NO_EXPECTATION: { incarnation?: string; lease?: string } = {};

/** Returns the incarnation and the lease that a write names. */
export function writeExpectationOf(
  options?: { incarnation?: string; lease?: string },
): { incarnation?: string; lease?: string } {
  if (options === undefined) return NO_EXPECTATION; // Shared by all publishes without options.
  const { incarnation, lease } = object(options, "options");
  assertIncarnation(incarnation);
  return { incarnation, lease: lease === undefined ? undefined : text(lease, "lease") };
}

/** Requires a request for a lease on a task that runs already. */
export function assertTakeLease(value: unknown): asserts value is TakeLeaseRequest {
  const { take, ...request } = object(value, "", ["ms", "onLost", "holder", "take"]);
  if (take !== undefined && typeof take !== "boolean") {
    throw invalidInput("take", "must be true or false");
  }
  assertLeaseRequest(request, "");
}

/** Requires a request for a lease. */
export function assertLeaseRequest(value: unknown, path: string): void {
  const fields = object(value, path, ["ms", "onLost", "holder"]);
  integer(
    fields.ms,
    path === "" ? "ms" : `${path}.ms`,
    BOUNDS.shortestLeaseMs,
    BOUNDS.longestLeaseMs,
  );
  optional(fields, path, "onLost", (onLost, at) => {
    if (onLost === "requeue") throw notForWorkers(at, '"requeue" ');
    oneOf(onLost, at, ["fail"]);
  });
  optional(fields, path, "holder", (holder, at) => text(holder, at, BOUNDS.holderLength));
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
  "priority",
  "ttl",
  "authConfig",
  "webhooks",
  "cleanup",
  "assignMode",
  "cost",
  "disconnectPolicy",
  "lease",
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
  const fields = object(input, "", CREATE_FIELDS);
  if (fields.id !== undefined) {
    assertTaskId(fields.id);
    if (fields.id.startsWith(KEYED_ID_PREFIX)) {
      throw invalidInput("id", `must not begin with "${KEYED_ID_PREFIX}", which is reserved`);
    }
  }
  optional(fields, "", "type", text);
  optional(fields, "", "params", jsonObject(limits));
  optional(fields, "", "metadata", jsonObject(limits));
  for (const key of Object.keys(fields.metadata ?? {})) assertNotReserved(key, `metadata.${key}`);
  optional(fields, "", "tags", (value, path) => texts(value, path, BOUNDS.tags));
  for (const [i, tag] of (fields.tags as string[] ?? []).entries()) {
    assertNotReserved(tag, `tags[${i}]`);
  }
  optional(fields, "", "priority", assertPriority);
  optional(fields, "", "ttl", assertTtl);
  optional(fields, "", "authConfig", (value, path) => assertAuthConfig(value, path, limits));
  optional(fields, "", "webhooks", assertWebhooks);
  optional(fields, "", "cleanup", assertTaskCleanup);
  optional(fields, "", "assignMode", assertAssignMode);
  optional(fields, "", "cost", refuseForWorkers);
  optional(fields, "", "disconnectPolicy", refuseForWorkers);
  optional(fields, "", "lease", assertLeaseRequest);
  assertBytes(input, "The task", limits.maxTaskBytes);
}

/** The only assignment mode without workers: the task's creator assigns the work. */
const EXTERNAL = "external";

function assertAssignMode(value: unknown, path: string): void {
  if (text(value, path) !== EXTERNAL) throw notForWorkers(path, `other than "${EXTERNAL}" `);
}

function refuseForWorkers(_value: unknown, path: string): void {
  throw notForWorkers(path);
}

/**
 * Settings of workers are refused until there are workers, because users would expect them to work.
 */
function notForWorkers(path: string, which = ""): TaskcastError {
  return new TaskcastError(
    "NOT_SUPPORTED",
    `"${path}" ${which}is for workers, which this version does not have; leave it out`,
    { details: { path } },
  );
}

/** Requires a priority. */
export function assertPriority(value: unknown, path: string): void {
  integer(value, path, 0, BOUNDS.priority);
}

function assertTtl(value: unknown, path: string): void {
  if (number(value, path, 0, BOUNDS.ttlSeconds) === 0) {
    throw invalidInput(path, "must be more than 0");
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
    "lease",
  ]);
  if (fields.lease !== undefined && to !== "running") {
    throw invalidInput("lease", `goes only with the status "running"`);
  }
  optional(fields, "", "lease", assertLeaseRequest);
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
