/**
 * The types of requests to stop a task, which its producer answers.
 *
 * @example A producer that keeps its last words
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import type { TaskCancel } from "@taskcast/core/cancel";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const { id } = await engine.createTask();
 * await engine.transitionTask(id, "running");
 * const asked = new Promise<TaskCancel>((resolve) => void engine.watchCancel(id, resolve));
 * await engine.cancelTask(id, { reason: "user pressed stop" });
 * const { reason } = await asked;
 * await engine.confirmCancel(id);
 * await engine.transitionTask(id, "cancelled", { reason, result: { partial: true } });
 * await engine.close();
 * ```
 *
 * @module
 */
export type { CancelRequest, TaskCancel } from "./protocol/cancel.ts";
