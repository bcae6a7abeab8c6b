/**
 * A known reason why a dependency cannot be used, or not fully.
 *
 * `/health/ready` shows `message` without authentication: it names what is missing and what to do,
 * and contains no address and no secret.
 */
export interface HealthReport {
  /** `degraded`: most of it works. `unavailable`: it cannot be used. */
  status: "degraded" | "unavailable";
  /** The problem and its remedy, without a full stop at the end. */
  message: string;
}

/** A dependency that can check its own health. */
export interface Checkable {
  /**
   * Checks whether the dependency can do its work. Promptly rejects or reports `unavailable` when it
   * cannot, and reports `degraded` when part of it cannot. Readiness describes a rejection only as
   * unreachable, since errors may contain addresses.
   */
  check(): Promise<HealthReport | void>;
}

/**
 * Requires that a dependency can be used.
 *
 * @throws {Error} With the reported message if it is unavailable.
 */
export async function assertUsable(dependency: Checkable): Promise<void> {
  const report = await dependency.check();
  if (report?.status === "unavailable") throw new Error(report.message);
}
