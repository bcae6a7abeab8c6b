/**
 * The types of leases, by which producers say that they are alive.
 *
 * @example A producer whose task fails if the producer dies
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import type { LeaseRequest } from "@taskcast/core/leases";
 *
 * const lease: LeaseRequest = { ms: 30_000, holder: "host-1" };
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const task = await engine.createTask({ type: "import", lease });
 * const { state } = await engine.heartbeat(task.id, task.lease!); // At least every 30 seconds.
 * if (state !== "held") throw new Error(`stop: ${state}`);
 * await engine.close();
 * ```
 *
 * @module
 */
export type { HeldLease } from "./engine/calls/leases.ts";
export type { WriteOptions } from "./engine/options.ts";
export type {
  LeasedTask,
  LeaseRequest,
  LeaseState,
  RenewedLease,
  TakeLeaseRequest,
} from "./protocol/task.ts";
