/** A lease, and the time to which it is extended. */
export interface LeaseRenewal {
  /** The task. */
  taskId: string;
  /** The token; see {@linkcode TaskRecord.lease}. */
  lease: string;
  /** The new expiry; Unix milliseconds. */
  untilMs: number;
}

/**
 * Extends leases. Their tokens are in the records of the tasks; their expiry is a due time, so that
 * extending them changes no record.
 */
export interface Leases {
  /**
   * Sets the expiry of each lease that its task still has, whether it has expired or not. That is no
   * commit: no version changes, and no reader is woken.
   *
   * @returns For each renewal, in order, whether the task has the lease.
   */
  renew(renewals: readonly LeaseRenewal[]): Promise<boolean[]>;
}
