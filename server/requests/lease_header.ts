import type { LeasedTask } from "@taskcast/core/protocol";

/** The header with the token of a lease, in requests and answers. */
export const LEASE_HEADER = "taskcast-lease";

/** The header of answers with the expiry of a granted lease. */
export const LEASE_UNTIL_HEADER = "taskcast-lease-until";

/** Returns the lease under which a request is made, if it names one. */
export function leaseOf(request: Request): string | undefined {
  return request.headers.get(LEASE_HEADER) ?? undefined;
}

/** Returns options with the lease under which a request is made, if it names one. */
export function underLease<Options extends object>(
  request: Request,
  options: Options,
): Options & { lease?: string } {
  const lease = leaseOf(request);
  return lease === undefined ? options : { ...options, lease };
}

/** Returns the headers that tell a caller of a granted lease. */
export function leaseHeaders({ lease, leaseUntil }: LeasedTask): Record<string, string> {
  return lease === undefined ? {} : {
    [LEASE_HEADER]: lease,
    ...(leaseUntil !== undefined && { [LEASE_UNTIL_HEADER]: String(leaseUntil) }),
  };
}
