import type { Webhook, WebhookStatus } from "@taskcast/core/protocol";
import { BACKOFFS, BOUNDS, LEVELS } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { once } from "./once.ts";
import { strict } from "./strict.ts";

const index = z.number().int().nonnegative();
const name = z.string().min(1).max(BOUNDS.nameLength);
const time = described(z.number().int(), { description: "Unix milliseconds" });

const filter = z.lazy(() =>
  described(
    strict({
      types: z.array(name).max(BOUNDS.listItems).optional(),
      levels: z.array(z.enum(LEVELS)).max(BOUNDS.listItems).optional(),
      includeStatus: z.boolean().optional(),
    }),
    "EventFilter",
  )
);

const retry = z.lazy(() =>
  described(
    strict({
      retries: described(z.number().int().min(0).max(20).optional(), { default: 3 }),
      backoff: described(z.enum(BACKOFFS).optional(), { default: "exponential" }),
      initialDelayMs: described(index.max(3_600_000).optional(), { default: 1_000 }),
      maxDelayMs: described(index.max(3_600_000).optional(), { default: 30_000 }),
      timeoutMs: described(z.number().int().min(100).max(15_000).optional(), { default: 5_000 }),
    }),
    "WebhookRetry",
  )
);

const webhookFields = once(() => ({
  url: z.url().max(BOUNDS.urlLength),
  filter: filter.optional(),
  wrap: described(z.boolean().optional(), {
    default: true,
    description: "`false`: the data alone",
  }),
  retry: retry.optional(),
}));

const webhook = z.lazy(() => strict(webhookFields()));

/** Webhooks of a new task. */
export const webhooksBody: z.ZodType<Webhook[]> = z.lazy(() =>
  z.array(
    described(
      strict({
        ...webhookFields(),
        secret: described(name.optional(), { description: "Signs deliveries; never shown again" }),
      }),
      "WebhookInput",
    ),
  ).max(BOUNDS.webhooks)
);

/** Webhooks as answers show them. */
export const webhooksSchema: z.ZodType<Webhook[]> = z.lazy(() =>
  z.array(described(webhook, "Webhook"))
);

/** Answer to `GET /tasks/:id/webhooks`. */
export const webhookStatusSchema: z.ZodType<WebhookStatus[]> = z.lazy(() =>
  z.array(
    described(
      z.object({
        hook: described(z.string(), {
          description: "`0`, `1` … in the order of the task, or a name",
        }),
        url: described(z.string(), { description: "Without its query" }),
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
      }),
      "WebhookStatus",
    ),
  )
);

/** Body of `POST /tasks/:id/webhooks/retry`. */
export const retryBody: z.ZodType<{ hook: string }> = z.lazy(() =>
  described(
    strict({ hook: name }),
    "WebhookRetryRequest",
  )
);

/** Answer to `POST /tasks/:id/webhooks/retry`. */
export const retryAnswer: z.ZodType<{ retrying: number }> = z.lazy(() =>
  described(
    z.object({ retrying: index }),
    "WebhookRetryAnswer",
  )
);

/** Answer to `GET /webhooks/undelivered`. */
export const undeliveredSchema: z.ZodType<
  { tasks: { taskId: string; since: number }[]; nextCursor?: string }
> = z.lazy(() =>
  described(
    z.object({
      tasks: z.array(z.object({ taskId: z.string(), since: time })),
      nextCursor: z.string().optional(),
    }),
    "Undelivered",
  )
);
