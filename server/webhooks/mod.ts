/**
 * Sends webhooks, and to nobody inside.
 *
 * @module
 */
export type { ClosableWebhookSender, WebhookSenderOptions } from "./sender.ts";
export { createWebhookSender } from "./sender.ts";
export { isPublicAddress } from "./addresses.ts";
