import { jsonResponse } from "../requests/json_answer.ts";
import type { Router } from "../router.ts";
import { undeliveredQuery } from "../schemas/query.ts";
import {
  retryAnswer,
  retryBody,
  undeliveredSchema,
  webhookStatusSchema,
} from "../schemas/webhook.ts";
import { listUndelivered } from "./list_undelivered.ts";
import type { Services } from "./tasks.ts";

/** Adds the operations to inspect and retry webhook deliveries. */
export function addWebhookRoutes(
  router: Router,
  { engine, gate }: Pick<Services, "engine" | "gate">,
): void {
  router.add({
    method: "get",
    path: "/tasks/{id}/webhooks",
    tag: "Webhooks",
    summary: "Get the state of a task's webhooks and their failed deliveries",
    scope: "task:manage",
    responses: {
      200: {
        description: "The webhooks, the task's own first",
        content: { "application/json": { schema: webhookStatusSchema } },
      },
    },
  }, async ({ id, auth }) => {
    const statuses = await gate.withTask(
      auth,
      "task:manage",
      id,
      (at) => engine.getWebhooks(id, at),
    );
    return jsonResponse(statuses);
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/webhooks/retry",
    tag: "Webhooks",
    summary: "Retry failed deliveries",
    scope: "task:manage",
    body: { schema: retryBody },
    responses: {
      202: {
        description: "Number of deliveries that are retried",
        content: { "application/json": { schema: retryAnswer } },
      },
    },
  }, async ({ id, auth, body: { hook } }) => {
    const retrying = await gate.withTask(
      auth,
      "task:manage",
      id,
      (at) => engine.retryWebhook(id, hook, at),
    );
    return jsonResponse({ retrying }, { status: 202 });
  });

  router.add({
    method: "get",
    path: "/webhooks/undelivered",
    tag: "Webhooks",
    summary: "List tasks with failed deliveries, oldest failure first",
    description: "Only tasks that the token may see.",
    scope: "task:manage",
    query: undeliveredQuery,
    responses: {
      200: {
        description: "A page; the last one has no cursor",
        content: { "application/json": { schema: undeliveredSchema } },
      },
    },
  }, async ({ query: { limit = 50, cursor }, auth }) => {
    const mayKnow = async (taskId: string) => {
      const task = await engine.getTask(taskId);
      return task !== undefined && gate.maySee(auth, task) && gate.mayManage(auth, task);
    };
    return jsonResponse(await listUndelivered(engine, { limit, cursor, mayKnow }));
  });
}
