import type { Leases } from "../../contracts/leases.ts";
import type { TaskRecord } from "../../contracts/records.ts";
import type { EngineContext } from "../../context/context.ts";
import { leaseState } from "../../domain/transitions/lease.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { LeaseState, RenewedLease } from "../../protocol/task.ts";

/** Identifies a lease. */
export interface HeldLease {
  /** The task. */
  taskId: string;
  /** The token. */
  lease: string;
  /** The incarnation of the task; a lease of another one is `deleted`. @default not checked */
  incarnation?: string;
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
  const found = await Promise.all(held.map(async (one) => {
    const record = (await reader.getTask(one.taskId))?.record;
    const renewed = withState(one, record);
    const expires = record !== undefined && EXPIRING.has(renewed.state) &&
      record.task.status !== "paused";
    if (!expires) return { renewed };
    const { taskId, lease } = one;
    const untilMs = clock.now() + record.leaseMs!;
    return { renewed: { ...renewed, leaseUntil: untilMs }, renewal: { taskId, lease, untilMs } };
  }));
  const renewals = found.flatMap(({ renewal }) => renewal === undefined ? [] : [renewal]);
  if (renewals.length === 0) return found.map(({ renewed }) => renewed);
  const outcomes = await leases.renew(renewals);
  let at = 0;
  return await Promise.all(found.map(async ({ renewed, renewal }, i) => {
    if (renewal === undefined || outcomes[at++]) return renewed;
    // The task was paused, or the lease ended, since the task was read.
    return withState(held[i]!, (await reader.getTask(renewed.taskId))?.record);
  }));
}

/** The states of leases that expire, unless the task is paused. */
const EXPIRING: ReadonlySet<LeaseState> = new Set<LeaseState>(["held", "blocked", "stopping"]);

function withState(
  { taskId, lease, incarnation }: HeldLease,
  record: TaskRecord | undefined,
): RenewedLease {
  const isGone = record === undefined ||
    (incarnation !== undefined && incarnation !== record.incarnation);
  return { taskId, state: isGone ? "deleted" : leaseState(record, lease) };
}
