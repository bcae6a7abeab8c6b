import type {
  BlockedRequest,
  CreateTaskInput,
  LeasedTask,
  Task,
  TaskCancel,
  TaskCleanup,
  TaskDetail,
  TaskStatus,
  Ticket,
  TransitionOptions,
} from "@taskcast/core/protocol";
import {
  BOUNDS,
  LEVELS,
  SCOPES,
  SERIES_MODES,
  TASK_STATUSES,
  TERMINAL_STATUSES,
} from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { jsonObject, name, taskId, time } from "./basics.ts";
import { leaseRequest } from "./lease.ts";
import { once } from "./once.ts";
import { strict } from "./strict.ts";
import { webhooksBody, webhooksSchema } from "./webhook.ts";

// These schemas both validate input and describe it in the OpenAPI document. Their bounds are the
// engine's own, and the engine validates again.
//
// Each schema is made on first use; those of answers are needed for the document only. All of them
// together take 30 ms and 5 MiB, a tenth of a server's start.

const status: z.ZodType<TaskStatus> = z.lazy(() => described(z.enum(TASK_STATUSES), "TaskStatus"));
const priority = z.number().int().min(0).max(BOUNDS.priority);
const ttl = z.number().positive().max(BOUNDS.ttlSeconds);

const error = z.lazy(() =>
  described(
    strict({
      code: name.optional(),
      message: z.string().min(1),
      details: jsonObject.optional(),
    }),
    "TaskError",
  )
);

const blockedRequest: z.ZodType<BlockedRequest> = z.lazy(() =>
  described(
    strict({
      type: name,
      data: z.any().optional(),
    }),
    "BlockedRequest",
  )
);

const authConfig = z.lazy(() =>
  described(
    strict({
      rules: z.array(strict({
        match: strict({ scope: z.array(z.enum(SCOPES)).min(1) }),
        require: strict({
          sub: z.array(name).max(BOUNDS.listItems).optional(),
          claims: jsonObject.optional(),
        }),
      })).max(BOUNDS.authRules),
    }),
    {
      id: "TaskAuthConfig",
      description: "Restricts access to the task. Never changes after creation.",
    },
  )
);

const cleanup: z.ZodType<TaskCleanup> = z.lazy(() =>
  described(
    strict({
      rules: z.array(strict({
        name: name.optional(),
        match: strict({
          taskTypes: z.array(name).min(1).max(BOUNDS.listItems).optional(),
          status: z.array(z.enum(TERMINAL_STATUSES)).min(1).optional(),
        }).optional(),
        trigger: strict({
          afterMs: described(z.number().int().nonnegative(), {
            description: "Milliseconds after the task has ended",
          }),
        }),
        target: described(z.enum(["all", "events", "task"]), {
          description:
            "`events`: the events that match `eventFilter`. `task`, `all`: the whole task",
        }),
        eventFilter: strict({
          types: z.array(name).min(1).max(BOUNDS.listItems).optional(),
          levels: z.array(z.enum(LEVELS)).min(1).optional(),
          olderThanMs: z.number().int().nonnegative().optional(),
          seriesMode: z.enum(SERIES_MODES).optional(),
        }).optional(),
      })).max(BOUNDS.cleanupRules),
    }),
    "TaskCleanup",
  )
);

const FOR_WORKERS = "For workers, a feature of a later version: refused with `NOT_SUPPORTED`";

/** Body of `POST /tasks`. */
export const createTaskBody: z.ZodType<CreateTaskInput> = z.lazy(() =>
  described(
    strict({
      id: taskId.optional(),
      type: described(name.optional(), { example: "llm.chat" }),
      params: jsonObject.optional(),
      metadata: jsonObject.optional(),
      tags: z.array(name).max(BOUNDS.tags).optional(),
      priority: described(priority.optional(), {
        description: "Urgency: 9 is the most urgent, 0 the default",
      }),
      ttl: described(ttl.optional(), {
        description: "Seconds from creation until the task becomes `timeout`",
      }),
      authConfig: authConfig.optional(),
      assignMode: described(name.optional(), {
        description:
          "`external`, the default. Other values are for workers, a feature of a later " +
          "version: refused with `NOT_SUPPORTED`",
      }),
      cost: described(z.any().optional(), { description: FOR_WORKERS }),
      disconnectPolicy: described(z.any().optional(), { description: FOR_WORKERS }),
      webhooks: described(webhooksBody.optional(), {
        description: "Receivers of its events; also requires the scope `webhook:create`",
      }),
      cleanup: described(cleanup.optional(), {
        description: "Cleanup after its end, in addition to the server's rules",
      }),
      lease: leaseRequest.optional(),
    }),
    "CreateTask",
  )
);

/** Body of `PATCH /tasks/:id/status`. */
export const transitionBody: z.ZodType<TransitionOptions & { status: TaskStatus }> = z.lazy(() =>
  described(
    strict(
      {
        status,
        result: jsonObject.optional(),
        error: error.optional(),
        reason: z.string().min(1).max(BOUNDS.reasonLength).optional(),
        ttl: described(ttl.optional(), { description: "A new time to live, in seconds from now" }),
        resumeAfterMs: z.number().int().nonnegative().optional(),
        blockedRequest: blockedRequest.optional(),
        lease: described(leaseRequest.optional(), { description: "For `running` only" }),
      },
    ),
    "Transition",
  )
);

/** Body of `POST /tasks/:id/resolve`. */
export const resolveBody: z.ZodType<{ data?: unknown }> = z.lazy(() =>
  described(
    strict({ data: z.any() }),
    "Resolution",
  )
);

/** Body of `POST /tasks/:id/tickets`. */
export const ticketBody: z.ZodType<{ expiresInMs: number }> = z.lazy(() =>
  described(
    strict({
      expiresInMs: z.number().int().min(1).max(3_600_000).default(60_000),
    }),
    "TicketRequest",
  )
);

/** Answer to `POST /tasks/:id/tickets`. */
export const ticketSchema: z.ZodType<Ticket> = z.lazy(() =>
  described(
    z.object({ ticket: z.string(), expiresAt: time }),
    "Ticket",
  )
);

const cancel: z.ZodType<TaskCancel> = z.lazy(() =>
  described(
    z.object({
      requestedAt: time,
      by: z.string().optional(),
      reason: z.string().optional(),
      deadlineAt: time,
      seenAt: time.optional(),
    }),
    { id: "TaskCancel", description: "A request to stop the task" },
  )
);

const makeTask = once(() =>
  described(
    z.object({
      id: taskId,
      type: name.optional(),
      status,
      params: jsonObject.optional(),
      result: jsonObject.optional(),
      metadata: jsonObject.optional(),
      error: error.optional(),
      tags: z.array(name).optional(),
      priority: priority.optional(),
      createdAt: time,
      updatedAt: time,
      completedAt: time.optional(),
      ttl: ttl.optional(),
      authConfig: authConfig.optional(),
      webhooks: webhooksSchema.optional(),
      cleanup: cleanup.optional(),
      reason: z.string().optional(),
      resumeAt: time.optional(),
      blockedRequest: blockedRequest.optional(),
      cancel: cancel.optional(),
      assignMode: name.optional(),
      cost: z.number().optional(),
      assignedWorker: name.optional(),
      disconnectPolicy: name.optional(),
      attempt: described(z.number().int().optional(), { description: "Leases so far" }),
      leaseSince: time.optional(),
      leaseHolder: z.string().optional(),
    }),
    "Task",
  )
);

const task = z.lazy(makeTask);

/** A task. */
export const taskSchema: z.ZodType<Task> = task;

/** A task, with the lease that was granted to the caller. */
export const leasedTaskSchema: z.ZodType<LeasedTask> = z.lazy(() =>
  described(
    makeTask().extend({
      lease: described(z.string().optional(), { description: "The token of a granted lease" }),
      leaseUntil: time.optional(),
    }),
    "LeasedTask",
  )
);

/** Answer to `GET /tasks/:id`. */
export const taskDetailSchema: z.ZodType<TaskDetail> = z.lazy(() =>
  described(
    makeTask().extend({
      lastIndex: described(z.number().int().min(-1), { description: "-1: no event yet" }),
      subscriberCount: z.number().int().nonnegative(),
    }),
    "TaskDetail",
  )
);

/** Answer to `GET /tasks`. */
export const taskPageSchema: z.ZodType<
  { tasks: Task[]; nextCursor?: string; partial?: true }
> = z.lazy(() =>
  described(
    z.object({
      tasks: z.array(task),
      nextCursor: z.string().optional(),
      partial: described(z.literal(true).optional(), {
        description:
          "Set while the archive cannot be reached: tasks that only the archive has are missing",
      }),
    }),
    "TaskPage",
  )
);

/** Answer to `DELETE /tasks/:id` while the archive cannot be reached. */
export const deletionSchema: z.ZodType<{ deletion: "pending" }> = z.object({
  deletion: z.literal("pending"),
});

export { blockedRequest as blockedRequestSchema, status as statusSchema };
