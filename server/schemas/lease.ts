import type {
  LeaseRequest,
  LeaseState,
  RenewedLease,
  TakeLeaseRequest,
} from "@taskcast/core/protocol";
import { BOUNDS, TERMINAL_STATUSES } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { strict } from "./strict.ts";
import { taskId, time } from "./basics.ts";

/** A request for a lease. */
export const leaseRequest: z.ZodType<LeaseRequest> = z.lazy(() =>
  described(
    strict({
      ms: described(z.number().int().min(BOUNDS.shortestLeaseMs).max(BOUNDS.longestLeaseMs), {
        description: "Milliseconds from each sign of life to the expiry",
      }),
      onLost: described(z.literal("fail").optional(), {
        description: "The task fails with `PRODUCER_LOST`",
      }),
      holder: described(z.string().min(1).max(BOUNDS.holderLength).optional(), {
        description: "A name for the holder, shown to readers",
      }),
    }),
    { id: "LeaseRequest", description: "Grants a lease to the caller" },
  )
);

/** Body of `POST /tasks/:id/lease`. */
export const takeLeaseBody: z.ZodType<TakeLeaseRequest> = z.lazy(() =>
  described(
    strict({
      ms: z.number().int().min(BOUNDS.shortestLeaseMs).max(BOUNDS.longestLeaseMs),
      onLost: z.literal("fail").optional(),
      holder: z.string().min(1).max(BOUNDS.holderLength).optional(),
      take: described(z.boolean().optional(), { description: "Ends the lease of another holder" }),
    }),
    "TakeLease",
  )
);

const token = z.string().min(1).max(BOUNDS.nameLength);

/** Leases to renew. */
export interface RenewBody {
  leases: { taskId: string; lease: string }[];
}

/** Body of `POST /leases`. */
export const renewBody: z.ZodType<RenewBody> = z.lazy(() =>
  described(
    strict({
      leases: z.array(strict({ taskId, lease: token })).min(1).max(BOUNDS.leasesPerRequest),
    }),
    "RenewLeases",
  )
);

const STATES = ["held", "stopping", "paused", "blocked", "lost", "deleted", ...TERMINAL_STATUSES];

/** The outcome of renewing one lease. */
export const renewedLease: z.ZodType<RenewedLease> = z.lazy(() =>
  described(
    z.object({
      taskId,
      state: z.enum(STATES as [LeaseState]),
      leaseUntil: time.optional(),
    }),
    "RenewedLease",
  )
);

/** Answer to `POST /leases`. */
export const renewedLeases: z.ZodType<{ leases: RenewedLease[] }> = z.lazy(() =>
  described(z.object({ leases: z.array(renewedLease) }), "RenewedLeases")
);
