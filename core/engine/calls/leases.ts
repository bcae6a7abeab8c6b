import type { Leases } from "../../contracts/leases.ts";
import type { EngineContext } from "../../context/context.ts";
import { leaseState } from "../../domain/transitions/lease.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { RenewedLease } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";

/** Identifies a lease. */
export interface HeldLease {
  /** The task. */
  taskId: string;
  /** The token. */
  lease: string;
}

/**
 * Returns the leases of a store.
 *
 * @throws {TaskcastError} `NOT_SUPPORTED` if the store has none.
 */
export function leasesOf({ store }: EngineContext): Leases {
  if (store.leases !== undefined) return store.leases;
  throw new TaskcastError(
    "NOT_SUPPORTED",
    "Cannot grant or renew a lease: the short-term store has no leases; leave the lease out",
  );
}

/** Renews leases, with one call of the store for all. Returns the state of each, in order. */
export async function renewLeases(
  context: EngineContext,
  held: readonly HeldLease[],
): Promise<RenewedLease[]> {
  const leases = leasesOf(context);
  const { reader, clock } = context;
  const found = await Promise.all(held.map(async ({ taskId, lease }) => {
    const head = await reader.getTask(taskId);
    if (head === undefined) return { renewed: { taskId, state: "deleted" } as RenewedLease };
    const { record } = head;
    const renewed: RenewedLease = { taskId, state: leaseState(record, lease) };
    const expires = renewed.state === "held" || renewed.state === "blocked";
    if (!expires) return { renewed };
    const untilMs = clock.now() + record.leaseMs!;
    return { renewed: { ...renewed, leaseUntil: untilMs }, renewal: { taskId, lease, untilMs } };
  }));
  const renewals = found.flatMap(({ renewal }) => renewal === undefined ? [] : [renewal]);
  if (renewals.length === 0) return found.map(({ renewed }) => renewed);
  const outcomes = await leases.renew(renewals);
  let at = 0;
  return await Promise.all(found.map(async ({ renewed, renewal }) => {
    if (renewal === undefined || outcomes[at++]) return renewed;
    // The lease ended since the task was read.
    const { taskId } = renewed;
    const record = (await reader.getTask(taskId))?.record;
    if (record === undefined) return { taskId, state: "deleted" };
    const { status } = record.task;
    return { taskId, state: isTerminal(status) ? status : "lost" };
  }));
}
