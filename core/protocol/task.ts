import type { TaskCleanup } from "./cleanup.ts";
import type { JsonObject } from "./json.ts";
import type { TaskCancel } from "./cancel.ts";
import type { TaskStatus, TerminalStatus } from "./status.ts";
import type { Webhook } from "./webhook.ts";

/** The failure of a task, as reported by its producer. */
export interface TaskError {
  /** A code for programs. */
  code?: string;
  /** A message for people. */
  message: string;
  /** Additional facts. */
  details?: JsonObject;
}

/** The request that a blocked task is waiting on, e.g. an approval. */
export interface BlockedRequest {
  /** The kind of answer requested, e.g. `approval`. */
  type: string;
  /** Information for the person or program that answers. */
  data?: unknown;
}

/** The permissions that a token can grant; `*` grants all. */
export const SCOPES = [
  "task:create",
  "task:manage",
  "task:cancel",
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

/** A restriction in a {@linkcode TaskAuthConfig}. */
export interface TaskAuthRule {
  /** The rule applies to requests that need one of these scopes. */
  match: { scope: Scope[] };
  /** Requirements on the caller; all must be met. */
  require: {
    /** The caller's `sub` must be one of these. */
    sub?: string[];
    /** Each named claim must equal the given value. */
    claims?: Record<string, unknown>;
  };
}

/** Restricts access to one task. Never changes after creation. */
export interface TaskAuthConfig {
  /** Every rule that matches a request must be met. */
  rules: TaskAuthRule[];
}

/** A task. Times are Unix milliseconds; only `ttl` is in seconds. */
export interface Task {
  /** 1-128 characters of `A-Z a-z 0-9 . _ : ~ -`; a ULID unless the creator chose it. */
  id: string;
  /** Dotted name, e.g. `llm.chat`. */
  type?: string;
  /** Current status. */
  status: TaskStatus;
  /** Input; never changes after creation. */
  params?: JsonObject;
  /** Outcome, set by a transition. */
  result?: JsonObject;
  /** Data of the creator's own. */
  metadata?: JsonObject;
  /** The failure, if the task failed. */
  error?: TaskError;
  /** Labels to list by. */
  tags?: string[];
  /** Urgency from 0 to 9, where 9 is the most urgent. Never changes after creation. @default {0} */
  priority?: number;
  /** Creation time. */
  createdAt: number;
  /** Time of the last status change; publishing events leaves it unchanged. */
  updatedAt: number;
  /** Time at which it reached a terminal status. */
  completedAt?: number;
  /** Seconds from creation to `timeout`. */
  ttl?: number;
  /** Restrictions on access, in addition to the token's own. */
  authConfig?: TaskAuthConfig;
  /** Receivers of its events. Never changes after creation. */
  webhooks?: Webhook[];
  /** Clean-up rules for the task once it has ended. Never changes after creation. */
  cleanup?: TaskCleanup;
  /** The reason why it is paused or blocked. */
  reason?: string;
  /** Time at which a blocked task resumes by itself. */
  resumeAt?: number;
  /** The request that a blocked task is waiting on. */
  blockedRequest?: BlockedRequest;
  /**
   * How a worker is found. `external`: by the creator of the task. Others are refused with
   * `NOT_SUPPORTED` until there are workers; tasks of 0.1.0 may have them, without effect.
   */
  assignMode?: string;
  /** How much of a worker's capacity the task takes; refused until there are workers. */
  cost?: number;
  /** The worker that the task is assigned to. */
  assignedWorker?: string;
  /** What happens when that worker is lost; refused until there are workers. */
  disconnectPolicy?: string;
  /** A request to stop it. */
  cancel?: TaskCancel;
  /** Number of leases that it has had. */
  attempt?: number;
  /** Time at which its current lease was granted. */
  leaseSince?: number;
  /** The name that the holder of the current lease gave. */
  leaseHolder?: string;
}

/** A request for a lease: its holder is doing the work, and says so again before the lease expires. */
export interface LeaseRequest {
  /** Milliseconds from each sign of life to the expiry: 5,000 to 3,600,000. */
  ms: number;
  /** What happens when the lease expires: the task fails with `PRODUCER_LOST`. @default "fail" */
  onLost?: "fail";
  /** A name for the holder, shown to readers; at most 128 characters. */
  holder?: string;
}

/** A request for a lease on a task whose status stays. */
export interface TakeLeaseRequest extends LeaseRequest {
  /** Ends the lease of another holder. @default {false} */
  take?: boolean;
}

/** A task as returned to the caller to whom a lease was granted. */
export interface LeasedTask extends Task {
  /** The token of the granted lease. Only its holder learns it. */
  lease?: string;
  /** Time at which the lease expires unless it is renewed. */
  leaseUntil?: number;
}

/**
 * What a holder learns about its lease: `held`; `stopping` (a request to cancel was made); `paused` (it does not expire), `blocked`; `lost` (the
 * task has another lease or none), `deleted`, or the status that ended the task.
 */
export type LeaseState =
  | "held"
  | "stopping"
  | "paused"
  | "blocked"
  | "lost"
  | "deleted"
  | TerminalStatus;

/** The outcome of renewing one lease. */
export interface RenewedLease {
  /** The task. */
  taskId: string;
  /** The state of the lease. */
  state: LeaseState;
  /** Time at which the lease expires unless it is renewed; left out if it does not expire. */
  leaseUntil?: number;
}

/** Input of `createTask`. Every field is optional. */
export type CreateTaskInput = Partial<
  Pick<
    Task,
    | "id"
    | "type"
    | "params"
    | "metadata"
    | "tags"
    | "priority"
    | "ttl"
    | "authConfig"
    | "webhooks"
    | "cleanup"
    | "assignMode"
    | "cost"
    | "disconnectPolicy"
  > & {
    /** Grants a lease to the creator. */
    lease: LeaseRequest;
  }
>;

/** Options of a transition. */
export interface TransitionOptions {
  /** The outcome. Replaces an earlier one. */
  result?: JsonObject;
  /** The failure. */
  error?: TaskError;
  /** The reason for pausing, blocking or ending the task. */
  reason?: string;
  /** A new time to live, in seconds from now. */
  ttl?: number;
  /** For `blocked` only: milliseconds until the task returns to `running` by itself. */
  resumeAfterMs?: number;
  /** For `blocked` only: the request that the task is waiting on. */
  blockedRequest?: BlockedRequest;
  /** For `running` only: grants a lease to the caller, and ends an earlier one. */
  lease?: LeaseRequest;
}

/** A task and the position of its log, as returned by `GET /tasks/:id`. */
export interface TaskDetail extends Task {
  /** Index of the newest event; -1 if there is none yet. */
  lastIndex: number;
  /** Number of readers that currently follow the task through this instance. */
  subscriberCount: number;
}

/**
 * The outcome of a deletion. `pending`: the archive cannot be reached. The task is deleted for all
 * callers, and the archive's copy is deleted once the archive can be reached.
 */
export type Deletion = "deleted" | "pending";
