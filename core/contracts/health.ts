/**
 * The way in which a dependency cannot be used, or not fully, where it knows that itself.
 *
 * Readiness shows `message` to everybody: it names what is missing and what to do, and no address
 * and no secret.
 */
export interface HealthReport {
  /** `degraded`: most of it works. `unavailable`: it cannot be used. */
  status: "degraded" | "unavailable";
  /** What does not work; no full stop at the end. */
  message: string;
}

/** What can be asked whether it can be used. */
export interface Checkable {
  /**
   * Rejects or reports `unavailable`, soon, when it cannot be used at the moment; reports `degraded`
   * when part of it cannot be. Readiness says of a rejection only that it cannot be reached, since
   * errors may name addresses.
   */
  check(): Promise<HealthReport | void>;
}

/**
 * Asks a dependency whether it can be used.
 *
 * @throws {Error} If it cannot, with what it reports.
 */
export async function assertUsable(dependency: Checkable): Promise<void> {
  const report = await dependency.check();
  if (report?.status === "unavailable") throw new Error(report.message);
}
