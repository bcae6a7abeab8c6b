import type { CleanupConfig, WebhookConfig } from "@taskcast/core/config";
import type { WebhookRetry } from "@taskcast/core/protocol";
import {
  BACKOFFS,
  BOUNDS,
  DEFAULT_WEBHOOK_RETRY,
  LEVELS,
  SERIES_MODES,
  TERMINAL_STATUSES,
} from "@taskcast/core/protocol";
import { z } from "zod";
import { key, named, secret, typed } from "./describe.ts";
import { assertSameType, type Same } from "./same_type.ts";
import { text, texts, whole } from "./values.ts";

// What servers do in the background: deliver webhooks, and delete what is old.

const HOUR_MS = 3_600_000;

const retry = (defaults: WebhookRetry) =>
  typed(
    z.strictObject({
      retries: key(whole(0, 20), "Attempts after the first", { default: defaults.retries }),
      backoff: key(z.enum(BACKOFFS), "Growth of the delay between attempts", {
        default: defaults.backoff,
      }),
      initialDelayMs: key(whole(0, HOUR_MS), "Milliseconds before the second attempt", {
        default: defaults.initialDelayMs,
      }),
      maxDelayMs: key(whole(0, HOUR_MS), "Maximum milliseconds between attempts", {
        default: defaults.maxDelayMs,
      }),
      timeoutMs: key(whole(100, 15_000), "Milliseconds that one attempt may take", {
        default: defaults.timeoutMs,
      }),
    }),
    "WebhookRetry",
  );

const globalWebhook = typed(
  z.strictObject({
    name: text().describe("Name in addresses and messages"),
    url: text().describe("Address that receives the events"),
    secret: key(secret(text()), "Key that signs deliveries"),
    wrap: key(z.boolean(), "`false` sends the event's data alone, without its envelope"),
    taskTypes: key(texts(), "Task types, with wildcards", { defaultText: "all" }),
    filter: key(
      z.strictObject({
        types: key(texts(), "Event types, with wildcards", { defaultText: "all" }),
        levels: key(z.array(z.enum(LEVELS)), "Event levels", { defaultText: "all" }),
        includeStatus: key(z.boolean(), "`false` leaves out `taskcast:status`"),
      }),
      "Events to deliver",
    ),
    retry: key(retry({}), "Retry policy, instead of `defaultRetry`"),
  }),
  "GlobalWebhook",
);

const webhookSchema = named(
  z.strictObject({
    defaultRetry: key(retry(DEFAULT_WEBHOOK_RETRY), "Retry policy of webhooks without their own"),
    hooks: key(z.array(globalWebhook), "Webhooks of all tasks created from now on"),
    allowPrivate: key(
      z.union([z.boolean(), texts()]),
      "Hosts that may have private or loopback addresses, as written in the webhook's URL; `true`: all",
      { defaultText: "none" },
    ),
  }),
  "WebhookConfig",
  "Webhook settings.",
);

assertSameType<Same<z.output<typeof webhookSchema>, WebhookConfig>>();

/** Webhook settings. */
export const webhook: z.ZodType<WebhookConfig, WebhookConfig> = webhookSchema;

const cleanupRule = typed(
  z.strictObject({
    name: key(text(), "Name in messages"),
    match: key(
      z.strictObject({
        taskTypes: key(texts(), "Task types, with wildcards: `llm.*`", { defaultText: "all" }),
        status: key(z.array(z.enum(TERMINAL_STATUSES)).min(1), "Terminal statuses", {
          defaultText: "all",
        }),
      }),
      "Tasks to which the rule applies",
    ),
    trigger: z.strictObject({
      afterMs: whole(0).describe("Milliseconds after the end of the task"),
    }).describe("When the rule is due"),
    target: z.enum(["all", "events", "task"]).describe(
      "`events` deletes the log or a part of it; `task` and `all` delete the task with its log",
    ),
    eventFilter: key(
      z.strictObject({
        types: key(texts(), "Event types, with wildcards", { defaultText: "all" }),
        levels: key(z.array(z.enum(LEVELS)).min(1), "Event levels", { defaultText: "all" }),
        olderThanMs: key(whole(0), "Minimum age of an event in milliseconds"),
        seriesMode: key(z.enum(SERIES_MODES), "Mode of the event's series"),
      }),
      "Events to delete, for the target `events`",
    ),
  }),
  "CleanupRule",
);

const cleanupSchema = named(
  z.strictObject({
    rules: key(
      z.array(cleanupRule).max(BOUNDS.cleanupRules),
      "Rules for all tasks, in addition to a task's own",
    ),
  }),
  "CleanupConfig",
  "Deletion of old tasks and events.",
);

assertSameType<Same<z.output<typeof cleanupSchema>, CleanupConfig>>();

/** Deletion of old tasks and events. */
export const cleanup: z.ZodType<CleanupConfig, CleanupConfig> = cleanupSchema;
