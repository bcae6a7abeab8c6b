/**
 * Creates Taskcast tasks, publishes their events and ends them, from Deno and Node.
 *
 * @example A service that reports
 * ```ts
 * import { TaskcastServerClient } from "@taskcast/server-sdk";
 *
 * export async function report(): Promise<string> {
 *   const taskcast = new TaskcastServerClient({ baseUrl: "http://localhost:3721" });
 *   const { id } = await taskcast.createTask({ type: "report" });
 *   await taskcast.publishEvent(id, { type: "report.page", data: { page: 1 } });
 *   await taskcast.transitionTask(id, "completed");
 *   return id;
 * }
 * ```
 *
 * @module
 */
export type {
  CreateTaskInput,
  Deletion,
  EventInput,
  LeasedTask,
  PublishReceipt,
  RenewedLease,
  TakeLeaseRequest,
  Task,
  TaskDetail,
  TaskEvent,
  TaskStatus,
  TransitionOptions,
} from "@taskcast/core/protocol";
export { TaskcastHttpError } from "@taskcast/client/http";
export type {
  HeldLease,
  HistoryQuery,
  ListTasksQuery,
  TaskcastServerClientOptions,
  TaskPage,
} from "./client.ts";
export { TaskcastServerClient } from "./client.ts";
export type { KeepLeaseOptions, LeaseCalls } from "./lease_keeper.ts";
export { LeaseKeeper, LeaseLostError } from "./lease_keeper.ts";
export type { PublisherOptions } from "./publisher.ts";
export { Publisher } from "./publisher.ts";
export type { RetryOptions } from "./retrying.ts";
export type { VerifiedWebhook, VerifyWebhookOptions } from "./verify_webhook.ts";
export { verifyWebhook, WebhookVerificationError } from "./verify_webhook.ts";
