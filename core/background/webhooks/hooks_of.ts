import type { GlobalWebhook } from "../../contracts/webhooks.ts";
import type { Task } from "../../protocol/task.ts";
import type { Webhook, WebhookRetry } from "../../protocol/webhook.ts";
import { DEFAULT_WEBHOOK_RETRY } from "../../protocol/webhook.ts";
import { matchesType } from "../../domain/filter.ts";

/** A webhook of a task with its name and all defaults. */
export interface TaskHook extends Webhook {
  /** The index of a task's own webhook, or the name of a server's. */
  name: string;
  retry: Required<WebhookRetry>;
}

/** Returns the webhooks of a task: its own, named by their index, and the server's for its type. */
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

/** Returns a URL without its query, which often contains secrets. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
