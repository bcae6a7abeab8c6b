/** The header with the token of a lease. */
export const LEASE_HEADER = "taskcast-lease";

/** Returns the lease under which a request is made, if it names one. */
export function leaseOf(request: Request): string | undefined {
  return request.headers.get(LEASE_HEADER) ?? undefined;
}
