import { z } from "@hono/zod-openapi";
import type { Webhook, WebhookStatus } from "@taskcast/core/protocol";
import { BACKOFFS, BOUNDS, LEVELS } from "@taskcast/core/protocol";

const index = z.number().int().nonnegative();
const name = z.string().min(1).max(BOUNDS.nameLength);
const time = z.number().int().openapi({ description: "Unix milliseconds" });

const filter = z.strictObject({
  types: z.array(name).max(BOUNDS.listItems).optional(),
  levels: z.array(z.enum(LEVELS)).max(BOUNDS.listItems).optional(),
  includeStatus: z.boolean().optional(),
}).openapi("EventFilter");

const retry = z.strictObject({
  retries: z.number().int().min(0).max(20).optional().openapi({ default: 3 }),
  backoff: z.enum(BACKOFFS).optional().openapi({ default: "exponential" }),
  initialDelayMs: index.max(3_600_000).optional().openapi({ default: 1_000 }),
  maxDelayMs: index.max(3_600_000).optional().openapi({ default: 30_000 }),
  timeoutMs: z.number().int().min(100).max(15_000).optional().openapi({ default: 5_000 }),
}).openapi("WebhookRetry");

const webhook = z.strictObject({
  url: z.url().max(BOUNDS.urlLength),
  filter: filter.optional(),
  wrap: z.boolean().optional().openapi({ default: true, description: "false: the bare data" }),
  retry: retry.optional(),
});

/** Webhooks of a new task. */
export const webhooksBody: z.ZodType<Webhook[]> = z.array(
  webhook.extend({
    secret: name.optional().openapi({ description: "Signs deliveries; never shown again" }),
  }).openapi("WebhookInput"),
).max(BOUNDS.webhooks);

/** Webhooks as they are shown. */
export const webhooksSchema: z.ZodType<Webhook[]> = z.array(webhook.openapi("Webhook"));

/** Answer to `GET /tasks/:id/webhooks`. */
export const webhookStatusSchema: z.ZodType<WebhookStatus[]> = z.array(
  z.object({
    hook: z.string().openapi({ description: "`0`, `1` … in the order of the task, or a name" }),
    url: z.string().openapi({ description: "Without its query" }),
    nextIndex: index,
    attempts: index,
    nextAttemptAt: time.optional(),
    error: z.string().optional(),
    failed: z.array(z.object({
      from: index,
      through: index,
      count: index,
      error: z.string(),
      at: time,
    })),
  }).openapi("WebhookStatus"),
);

/** Body of `POST /tasks/:id/webhooks/retry`. */
export const retryBody: z.ZodType<{ hook: string }> = z.strictObject({ hook: name })
  .openapi("WebhookRetryRequest");

/** Answer to it. */
export const retryAnswer: z.ZodType<{ retrying: number }> = z.object({ retrying: index })
  .openapi("WebhookRetryAnswer");

/** Answer to `GET /webhooks/undelivered`. */
export const undeliveredSchema: z.ZodType<
  { tasks: { taskId: string; since: number }[]; nextCursor?: string }
> = z.object({
  tasks: z.array(z.object({ taskId: z.string(), since: time })),
  nextCursor: z.string().optional(),
}).openapi("Undelivered");
