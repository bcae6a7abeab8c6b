import type { TaskCleanup } from "./cleanup.ts";
import type { JsonObject } from "./json.ts";
import type { Webhook } from "./webhook.ts";

/** Every state that a task can be in, in the order of a usual life. */
export const TASK_STATUSES = [
  "pending",
  "assigned",
  "running",
  "paused",
  "blocked",
  "completed",
  "failed",
  "timeout",
  "cancelled",
] as const;

/** The state of a task. `completed`, `failed`, `timeout` and `cancelled` are terminal. */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The four states that end a task. */
export const TERMINAL_STATUSES = ["completed", "failed", "timeout", "cancelled"] as const;

/** A state that ends a task. */
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/** Whether `status` ends a task. */
export function isTerminal(status: TaskStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}

/** Why a task failed, as its producer tells it. */
export interface TaskError {
  /** A code for programs. */
  code?: string;
  /** A sentence for people. */
  message: string;
  /** Anything else. */
  details?: JsonObject;
}

/** What a blocked task waits for, e.g. an approval. */
export interface BlockedRequest {
  /** The kind of answer that is wanted, e.g. `approval`. */
  type: string;
  /** What the one who answers needs to know. */
  data?: unknown;
}

/** The permissions that a token can hold; `*` is all of them. */
export const SCOPES = [
  "task:create",
  "task:manage",
  "task:resolve",
  "event:publish",
  "event:subscribe",
  "event:history",
  "webhook:create",
  "worker:connect",
  "worker:manage",
  "*",
] as const;

/** A permission. */
export type Scope = (typeof SCOPES)[number];

/** One restriction of {@linkcode TaskAuthConfig}. */
export interface TaskAuthRule {
  /** The requests that the rule is about: those that need one of these scopes. */
  match: { scope: Scope[] };
  /** What the caller must have; all of it. */
  require: {
    /** The caller's `sub` must be one of these. */
    sub?: string[];
    /** Each named claim must be equal to the value given. */
    claims?: Record<string, unknown>;
  };
}

/** Narrows who may do what with one task. Never changes after creation. */
export interface TaskAuthConfig {
  /** Every rule that matches a request must be met. */
  rules: TaskAuthRule[];
}

/** A task as users see it. Times are Unix milliseconds; `ttl` alone is in seconds. */
export interface Task {
  /** 1-128 of `A-Z a-z 0-9 . _ : ~ -`; a ULID unless the creator chose it. */
  id: string;
  /** Dotted, e.g. `llm.chat`. */
  type?: string;
  /** Where the task is in its life. */
  status: TaskStatus;
  /** The input; never changes after creation. */
  params?: JsonObject;
  /** The outcome, given with a transition. */
  result?: JsonObject;
  /** Free notes of the creator. */
  metadata?: JsonObject;
  /** Why it failed. */
  error?: TaskError;
  /** Labels to list by. */
  tags?: string[];
  /** When it was created. */
  createdAt: number;
  /** When its state changed last; publishing an event does not count. */
  updatedAt: number;
  /** When it reached a terminal state. */
  completedAt?: number;
  /** Seconds from creation to `timeout`. */
  ttl?: number;
  /** Who may do what, beyond the token's own limits. */
  authConfig?: TaskAuthConfig;
  /** Where its events are sent. Never changes after creation. */
  webhooks?: Webhook[];
  /** What is deleted of it once it has ended. Never changes after creation. */
  cleanup?: TaskCleanup;
  /** Why it is paused or blocked. */
  reason?: string;
  /** When a blocked task goes on by itself. */
  resumeAt?: number;
  /** What a blocked task waits for. */
  blockedRequest?: BlockedRequest;
  /**
   * How a worker is found. `external`: by whoever creates the task. Others are refused with
   * `NOT_SUPPORTED` until there are workers; tasks of 0.1.0 may have them, without effect.
   */
  assignMode?: string;
  /** How much of a worker's capacity the task takes; refused until there are workers. */
  cost?: number;
  /** The worker that holds the task. */
  assignedWorker?: string;
  /** What happens when that worker is lost; refused until there are workers. */
  disconnectPolicy?: string;
}

/** What `createTask` takes. Every field is optional. */
export type CreateTaskInput = Partial<
  Pick<
    Task,
    | "id"
    | "type"
    | "params"
    | "metadata"
    | "tags"
    | "ttl"
    | "authConfig"
    | "webhooks"
    | "cleanup"
    | "assignMode"
    | "cost"
    | "disconnectPolicy"
  >
>;

/** What can be said with a transition. */
export interface TransitionOptions {
  /** The outcome. Replaces an earlier one. */
  result?: JsonObject;
  /** Why it failed. */
  error?: TaskError;
  /** Why it pauses, is blocked, or ends. */
  reason?: string;
  /** A new time to live, in seconds from now. */
  ttl?: number;
  /** Only for `blocked`: milliseconds until the task goes back to `running` by itself. */
  resumeAfterMs?: number;
  /** Only for `blocked`: what the task waits for. */
  blockedRequest?: BlockedRequest;
}

/** A task together with where its log stands, as `GET /tasks/:id` answers it. */
export interface TaskDetail extends Task {
  /** Index of the newest event, -1 when there is none yet. */
  lastIndex: number;
  /** Readers that follow the task through this instance now. */
  subscriberCount: number;
}

/**
 * What came of a deletion. `pending`: the archive cannot be reached; the task is gone for everybody,
 * and the archive's copy of it goes as soon as that can be done.
 */
export type Deletion = "deleted" | "pending";
