/**
 * Sends webhooks, but never to private addresses.
 *
 * @module
 */
export type { ClosableWebhookSender, WebhookSenderOptions } from "./sender.ts";
export { createWebhookSender } from "./sender.ts";
export { isPublicAddress } from "./addresses.ts";
