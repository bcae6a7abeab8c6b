import type { TaskEngine } from "@taskcast/core";
import { invalidInput, TaskcastError } from "@taskcast/core/protocol";
import type { Tickets } from "../auth/mod.ts";
import { hasScope } from "../auth/mod.ts";
import type { Gate } from "../auth/gate.ts";
import { jsonAnswer, jsonResponse } from "../requests/json_answer.ts";
import { leaseHeaders, underLease } from "../requests/lease_header.ts";
import type { Router } from "../router.ts";
import { createQuery, listQuery } from "../schemas/query.ts";
import {
  blockedRequestSchema,
  createTaskBody,
  deletionSchema,
  leasedTaskSchema,
  resolveBody,
  taskDetailSchema,
  taskPageSchema,
  taskSchema,
  ticketBody,
  ticketSchema,
  transitionBody,
} from "../schemas/task.ts";

/** Dependencies of the routes. */
export interface Services {
  engine: TaskEngine;
  gate: Gate;
  tickets: Tickets;
}

/** Adds all operations on tasks except those on events. */
export function addTaskRoutes(router: Router, { engine, gate, tickets }: Services): void {
  const json = (description: string, schema: typeof taskSchema) => ({
    description,
    content: { "application/json": { schema } },
  });

  router.add({
    method: "post",
    path: "/tasks",
    tag: "Tasks",
    summary: "Create a task",
    description:
      "Safe to repeat with the header `Idempotency-Key` (1 to 255 characters): the same caller " +
      "gets the same task, as long as it exists. Or with an id of the caller's and `ifExists=return`.",
    scope: "task:create",
    query: createQuery,
    body: { schema: createTaskBody, optional: true, isCheckedByEngine: true },
    errors: {
      409: "A task with this id exists, or the key was used with another input",
      503: "The store is full or cannot be reached",
    },
    responses: {
      200: json("The task, which an earlier request created", leasedTaskSchema),
      201: json("The task, `pending`", leasedTaskSchema),
    },
  }, async ({ body, query: { ifExists }, auth, info, request }) => {
    if (body.webhooks !== undefined && !hasScope(auth, "webhook:create")) {
      throw new TaskcastError("FORBIDDEN", 'The token lacks the scope "webhook:create"');
    }
    gate.checkCreate(auth, body.id);
    const key = request.headers.get("idempotency-key");
    const idempotency = key === null ? undefined : { key, caller: auth.sub ?? auth.credential };
    // Without tracing here, the caller's own context is passed on unchanged.
    const traceparent = info.traceparent ?? request.headers.get("traceparent") ?? undefined;
    const options = { traceparent, ifExists, idempotency };
    const { task, isReplay } = await engine.openTask(body, options);
    // Whoever may not see the task learns only that it exists.
    if (isReplay && key === null && !gate.maySee(auth, task)) {
      const message = `Cannot create task "${task.id}": a task with this id exists`;
      throw new TaskcastError("TASK_EXISTS", message, { details: { taskId: task.id } });
    }
    info.taskId = task.id;
    // Relative to the request's own address, so that it is right under any base path and proxy.
    const headers = {
      location: `tasks/${task.id}`,
      ...(isReplay && key !== null && { "idempotency-replayed": "true" }),
      ...leaseHeaders(task),
    };
    const status = isReplay ? 200 : 201;
    return jsonAnswer(info, JSON.stringify(gate.show(auth, task)), { status, headers });
  });

  router.add({
    method: "get",
    path: "/tasks",
    tag: "Tasks",
    summary: "List tasks, newest first",
    description:
      "Only tasks that the token may see. `partial`: tasks that only the archive has are missing.",
    scope: "event:subscribe",
    query: listQuery,
    responses: {
      200: { description: "A page", content: { "application/json": { schema: taskPageSchema } } },
    },
  }, async ({ query: { type, ...query }, auth }) => {
    const { tasks, nextCursor, partial } = await engine.listTasks({
      ...query,
      types: type,
      ids: gate.idsOf(auth),
      visible: (task) => gate.maySee(auth, task),
    });
    return jsonResponse({
      tasks: tasks.map((task) => gate.show(auth, task)),
      nextCursor,
      partial,
    });
  });

  router.add({
    method: "get",
    path: "/tasks/{id}",
    tag: "Tasks",
    summary: "Get a task and the position of its log",
    scope: "event:subscribe",
    responses: {
      200: {
        description: "The task",
        content: { "application/json": { schema: taskDetailSchema } },
      },
    },
  }, async ({ id, auth }) => {
    const { task } = await gate.readTask(auth, "event:subscribe", id);
    return jsonResponse(gate.show(auth, task));
  });

  router.add({
    method: "patch",
    path: "/tasks/{id}/status",
    tag: "Tasks",
    summary: "Change the status of a task",
    description: "Of several requests that would end a task, exactly one succeeds.",
    scope: "task:manage",
    body: { schema: transitionBody, isCheckedByEngine: true },
    errors: { 409: "This status cannot follow the current one, or the lease is lost" },
    responses: { 200: json("The task", leasedTaskSchema) },
  }, async ({ id, auth, request, body: { status, ...options } }) => {
    const task = await gate.withTask(
      auth,
      "task:manage",
      id,
      (at) => engine.transitionTask(id, status, options, underLease(request, at)),
    );
    return jsonResponse(gate.show(auth, task), { headers: leaseHeaders(task) });
  });

  router.add({
    method: "delete",
    path: "/tasks/{id}",
    tag: "Tasks",
    summary: "Delete a task and all its data",
    description: 'Readers get `taskcast.done` with the reason "deleted".',
    scope: "task:manage",
    responses: {
      202: {
        description:
          "Deleted for all callers. The archive cannot be reached, and deletes its copy later",
        content: { "application/json": { schema: deletionSchema } },
      },
      204: { description: "Deleted" },
    },
  }, async ({ id, auth }) => {
    const deletion = await gate.withTask(
      auth,
      "task:manage",
      id,
      (at) => engine.deleteTask(id, at),
    );
    return deletion === "pending"
      ? jsonResponse({ deletion }, { status: 202 })
      : new Response(null, { status: 204 });
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/resolve",
    tag: "Tasks",
    summary: "Answer the request of a blocked task",
    scope: "task:resolve",
    body: { schema: resolveBody },
    errors: { 409: "The task is not blocked" },
    responses: { 200: json("The task, running again", taskSchema) },
  }, async ({ id, auth, body }) => {
    const task = await gate.withTask(auth, "task:resolve", id, async (at) => {
      if (body.data === undefined) throw invalidInput("data", "is missing");
      return await engine.resolve(id, body.data, at);
    });
    return jsonResponse(gate.show(auth, task));
  });

  router.add({
    method: "get",
    path: "/tasks/{id}/request",
    tag: "Tasks",
    summary: "Get the request of a blocked task",
    scope: "task:resolve",
    responses: {
      200: {
        description: "The request",
        content: { "application/json": { schema: blockedRequestSchema } },
      },
    },
  }, async ({ id, auth }) => {
    const { task: { blockedRequest: request } } = await gate.readTask(auth, "task:resolve", id);
    if (request === undefined) {
      throw new TaskcastError("NO_BLOCKED_REQUEST", `Task "${id}" is not waiting for an answer`);
    }
    return jsonResponse(request);
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/tickets",
    tag: "Events",
    summary: "Get a ticket for the task's stream",
    description: "For browsers' EventSource, which cannot send headers: `…/events?ticket=…`.",
    scope: "event:subscribe",
    body: { schema: ticketBody, optional: true },
    responses: {
      201: { description: "The ticket", content: { "application/json": { schema: ticketSchema } } },
    },
  }, async ({ id, auth, body }) => {
    const { incarnation } = await gate.readTask(auth, "event:subscribe", id);
    const ticket = await tickets.issue({ id, incarnation }, auth, body.expiresInMs);
    return jsonResponse(ticket, { status: 201 });
  });
}
