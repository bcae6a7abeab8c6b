import type { GlobalWebhook } from "../../contracts/webhooks.ts";
import type { Task } from "../../protocol/task.ts";
import type { Webhook, WebhookRetry } from "../../protocol/webhook.ts";
import { DEFAULT_WEBHOOK_RETRY } from "../../protocol/webhook.ts";
import { matchesType } from "../../domain/filter.ts";

/** A webhook of a task, complete. */
export interface TaskHook extends Webhook {
  /** What it is called. */
  name: string;
  retry: Required<WebhookRetry>;
}

/** The webhooks of a task: its own, called by their place, and those of all tasks of its type. */
export function hooksOf(
  { type = "", webhooks = [] }: Pick<Task, "type" | "webhooks">,
  globals: readonly GlobalWebhook[],
  defaultRetry: WebhookRetry = {},
): TaskHook[] {
  const own = webhooks.map((hook, i) => ({ ...hook, name: `${i}` }));
  const shared = globals.filter(({ taskTypes }) =>
    taskTypes === undefined || matchesType(type, taskTypes)
  );
  return [...own, ...shared].map((hook) => ({
    ...hook,
    retry: { ...DEFAULT_WEBHOOK_RETRY, ...defaultRetry, ...hook.retry },
  }));
}

/** An address as it may be shown: queries often hold secrets. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
