import type { WebhookOptions, WebhookSender } from "../../contracts/webhooks.ts";
import { invalidInput, TaskcastError } from "../../protocol/errors.ts";
import type { Webhook } from "../../protocol/webhook.ts";
import { assertWebhook, assertWebhookRetry } from "../../domain/validate/webhook.ts";

/** Requires that webhooks are deliverable, as far as that is known before the first attempt. */
export function assertDeliverable(
  webhooks: readonly Webhook[],
  sender: WebhookSender | undefined,
  path = "webhooks",
): void {
  // Refused instead of stored, because a webhook that is never called is worse than an error.
  if (sender === undefined) {
    throw new TaskcastError("NOT_SUPPORTED", "This server sends no webhooks", {
      details: { path },
    });
  }
  for (const [i, { url }] of webhooks.entries()) {
    const why = sender.refusal(url);
    if (why !== undefined) throw invalidInput(`${path}[${i}].url`, why);
  }
}

/** Requires valid options of an engine. */
export function assertWebhookOptions({ sender, hooks = [], defaultRetry }: WebhookOptions): void {
  if (defaultRetry !== undefined) assertWebhookRetry(defaultRetry, "webhooks.defaultRetry");
  const names = new Set<string>();
  for (const [i, hook] of hooks.entries()) {
    const path = `webhooks.hooks[${i}]`;
    assertWebhook(hook, path, ["name", "taskTypes"]);
    const { name } = hook;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name) || /^\d+$/.test(name) || names.has(name)) {
      throw invalidInput(
        `${path}.name`,
        "must be a name of its own, of A-Z a-z 0-9 _ -, and not only digits",
      );
    }
    names.add(name);
  }
  assertDeliverable(hooks, sender, "webhooks.hooks");
}
