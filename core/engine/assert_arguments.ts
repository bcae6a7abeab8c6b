import type { EngineObserver } from "../contracts/observer.ts";
import type { TaskcastHooks } from "../contracts/hooks.ts";
import type { ScheduledTask } from "../contracts/work_queue.ts";
import { assertTaskId } from "../protocol/task_id.ts";
import { missingMethods } from "../domain/adapter_methods.ts";
import {
  assertFunction,
  assertMethods,
  integer,
  list,
  object,
  oneOf,
  optional,
  text,
} from "../domain/validate/checks.ts";
import { assertCount, assertOptions } from "../domain/validate/query.ts";
import type { FrameEncoder } from "../streams/frames.ts";
import type { CancelRequest } from "../protocol/cancel.ts";
import { MAX_GRACE_MS } from "../protocol/cancel.ts";
import { invalidInput } from "../protocol/errors.ts";
import { BOUNDS } from "../protocol/limits.ts";
import type { CreateTaskInput } from "../protocol/task.ts";
import type { HeldLease } from "./calls/leases.ts";
import type { TaskEngineOptions } from "./options.ts";
import type { CreateOptions } from "./writer.ts";

// Callers without static types get an error at once, instead of from a timer an hour later.

const PARTS = [
  ["broadcast", "broadcast"],
  ["shortTermStore", "shortTerm"],
  ["longTermStore", "longTerm"],
] as const;

const HOOKS: readonly string[] = [
  "onTaskCreated",
  "onTaskTransitioned",
  "onTaskFailed",
  "onTaskTimeout",
  "onWebhookFailed",
  "onUnhandledError",
] satisfies (keyof TaskcastHooks)[];

const OBSERVED: readonly string[] = [
  "onCommit",
  "onDelivery",
  "onLaggingRead",
  "onArchiving",
  "onWebhookAttempt",
  "onDueWork",
] satisfies (keyof EngineObserver)[];

/**
 * Requires the adapters of an engine, and valid objects for its other options.
 *
 * @throws {TypeError} If an adapter is missing or lacks methods of its contract.
 * @throws {TaskcastError} `INVALID_INPUT` for other options.
 */
export function assertEngineParts(options: TaskEngineOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("TaskEngine needs an object of options");
  }
  for (const [name, role] of PARTS) {
    const part: unknown = options[name];
    if (part === undefined && role === "longTerm") continue;
    if (part === undefined) throw new TypeError(`TaskEngine needs the option "${name}"`);
    const missing = missingMethods(part, role);
    if (missing.length > 0) {
      throw new TypeError(`The option "${name}" of TaskEngine has no ${missing.join(", ")}`);
    }
  }
  const { hooks, webhooks, cleanup, limits, options: sizes, tracer, clock } = options;
  if (hooks !== undefined) assertFunctions(hooks, "hooks", HOOKS);
  if (webhooks !== undefined) {
    object(webhooks, "webhooks");
    assertMethods(webhooks.sender, "webhooks.sender", ["refusal", "send"]);
  }
  for (const [name, value] of Object.entries({ cleanup, limits, options: sizes })) {
    if (value !== undefined) assertOptions(value, name);
  }
  if (tracer !== undefined) assertMethods(tracer, "tracer", ["trace"]);
  if (clock !== undefined) assertMethods(clock, "clock", ["now", "setTimeout", "clearTimeout"]);
}

/** Requires an observer. */
export function assertObserver(observer: unknown): void {
  assertFunctions(observer, "observer", OBSERVED);
}

/** Requires an encoder. */
export function assertEncoder<Chunk>(encoder: FrameEncoder<Chunk>): void {
  assertMethods(encoder, "encoder", ["open", "heartbeat", "done", "buffer"]);
}

/** Requires a position in a list of scheduled tasks. An empty id precedes all tasks of its time. */
export function assertScheduledTask(value: unknown, path: string): asserts value is ScheduledTask {
  const { taskId, atMs } = object(value, path);
  if (taskId !== "") assertTaskId(taskId, `${path}.taskId`);
  assertCount(atMs, `${path}.atMs`, 0, Number.MAX_SAFE_INTEGER);
}

/** Requires a position in a list of displaced tasks. */
export function assertDisplacedPlace(value: unknown, path: string): void {
  const { id, incarnation, createdAt } = object(value, path);
  assertTaskId(id, `${path}.id`);
  text(incarnation, `${path}.incarnation`);
  assertCount(createdAt, `${path}.createdAt`, 0, Number.MAX_SAFE_INTEGER);
}

/** Requires an object, possibly a class instance, whose named members are functions or left out. */
function assertFunctions(value: unknown, path: string, names: readonly string[]): void {
  const fields = object(value, path);
  for (const name of names) optional(fields, path, name, assertFunction);
}

/** Requires leases to renew, with their tokens. */
export function assertHeldLeases(held: unknown): asserts held is HeldLease[] {
  list(held, "leases", BOUNDS.leasesPerRequest).forEach((item, i) => {
    const path = `leases[${i}]`;
    const fields = object(item, path, ["taskId", "lease", "incarnation"]);
    assertTaskId(fields.taskId, `${path}.taskId`);
    text(fields.lease, `${path}.lease`);
    optional(fields, path, "incarnation", text);
  });
}

/** Requires a request to cancel. */
export function assertCancelRequest(request: unknown): asserts request is CancelRequest {
  const fields = object(request, "", ["reason", "by", "graceMs"]);
  optional(fields, "", "reason", (value, path) => text(value, path, BOUNDS.reasonLength));
  optional(fields, "", "by", text);
  optional(fields, "", "graceMs", (value, path) => integer(value, path, 0, MAX_GRACE_MS));
}

/** Requires valid options for creating a task with this input. */
export function assertCreateOptions(
  options: unknown,
  { id }: CreateTaskInput,
): asserts options is CreateOptions {
  assertOptions(options);
  const { ifExists, idempotency } = options as Record<string, unknown>;
  if (ifExists !== undefined) {
    oneOf(ifExists, "ifExists", ["return"]);
    if (id === undefined) throw invalidInput("ifExists", "needs an id");
  }
  if (idempotency === undefined) return;
  const { key, caller } = object(idempotency, "idempotency", ["key", "caller"]);
  text(key, "idempotency.key", BOUNDS.idempotencyKeyLength);
  if (caller !== undefined && typeof caller !== "string") {
    throw invalidInput("idempotency.caller", "must be a string");
  }
  if (id !== undefined) {
    throw invalidInput("id", "and an idempotency key exclude each other; leave one out");
  }
}
