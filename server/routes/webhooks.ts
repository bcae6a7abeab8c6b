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

/** Adds what people who look after webhooks ask. */
export function addWebhookRoutes(
  router: Router,
  { engine, gate }: Pick<Services, "engine" | "gate">,
): void {
  router.add({
    method: "get",
    path: "/tasks/{id}/webhooks",
    tag: "Webhooks",
    summary: "Where the webhooks of a task stand, and what was given up",
    scope: "task:manage",
    responses: {
      200: {
        description: "The webhooks, those of the task first",
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
    summary: "Try deliveries again that were given up",
    scope: "task:manage",
    body: { schema: retryBody },
    responses: {
      202: {
        description: "How many are tried again",
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
    summary: "Tasks with deliveries that were given up, the longest ago first",
    description: "Only tasks that the token may see.",
    scope: "task:manage",
    query: undeliveredQuery,
    responses: {
      200: {
        description: "A page; there may be more as long as there is a cursor",
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
