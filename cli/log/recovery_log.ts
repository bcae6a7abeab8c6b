import type { AdapterRole, Adapters, Checkable, Clock } from "@taskcast/core/adapter";
import { ADAPTER_ROLES, assertUsable, inTime, systemClock } from "@taskcast/core/adapter";
import type { Logger } from "./logger.ts";

/** Milliseconds between two checks while a dependency is down. */
const CHECK_INTERVAL_MS = 1_000;

/** Milliseconds after which a dependency without an answer counts as down. */
const CHECK_TIMEOUT_MS = 5_000;

const NAMES: Readonly<Record<AdapterRole, string>> = {
  broadcast: "the broadcast layer",
  shortTerm: "the short-term store",
  longTerm: "the archive",
};

/** Dependencies that are checked. */
export type Dependencies = { [Role in AdapterRole]?: Pick<Adapters[Role], "check"> };

/**
 * Logs once that a dependency answers again, and how long it was down. That it is down is told by the
 * errors themselves. Without an error nothing is checked and no timer runs.
 */
export class RecoveryLog {
  readonly #dependencies: [AdapterRole, Checkable][];
  readonly #log: Pick<Logger, "info">;
  readonly #clock: Clock;
  readonly #downSinceMs = new Map<AdapterRole, number>();
  /** Time of the first error since the last check began. */
  #failedAtMs?: number;
  #isWatching = false;
  #isClosed = false;
  #timer: unknown;

  constructor(
    dependencies: Dependencies,
    { log, clock = systemClock }: { log: Pick<Logger, "info">; clock?: Clock },
  ) {
    this.#dependencies = ADAPTER_ROLES.flatMap((role) => {
      const dependency = dependencies[role];
      return dependency === undefined ? [] : [[role, dependency]];
    });
    this.#log = log;
    this.#clock = clock;
  }

  /** Checks the dependencies until all answer. Called for every error, so it is cheap. */
  onError(): void {
    this.#failedAtMs ??= this.#clock.now();
    if (this.#isWatching || this.#isClosed) return;
    this.#isWatching = true;
    void this.#check();
  }

  /** Ends the checks. */
  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const failedAtMs = this.#failedAtMs ?? this.#clock.now();
    this.#failedAtMs = undefined;
    await Promise.all(this.#dependencies.map(async ([role, dependency]) => {
      if (await this.#answers(dependency)) this.#isBack(role);
      else if (!this.#downSinceMs.has(role)) this.#downSinceMs.set(role, failedAtMs);
    }));
    if (this.#isClosed) return;
    // Also when all answer: thousands of unrelated errors must not each cause a check.
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#downSinceMs.size > 0 || this.#failedAtMs !== undefined) void this.#check();
      else this.#isWatching = false;
    }, CHECK_INTERVAL_MS);
  }

  #isBack(role: AdapterRole): void {
    const sinceMs = this.#downSinceMs.get(role);
    if (sinceMs === undefined || this.#isClosed) return;
    this.#downSinceMs.delete(role);
    const downMs = Math.max(0, Math.round(this.#clock.now() - sinceMs));
    const seconds = Math.round(downMs / 100) / 10;
    this.#log.info(`${NAMES[role]} answers again, after ${seconds} s`, {
      operation: "recovery",
      dependency: role,
      awayMs: downMs,
    });
  }

  async #answers(dependency: Checkable): Promise<boolean> {
    try {
      const late = () => new Error("no answer");
      await inTime(assertUsable(dependency), CHECK_TIMEOUT_MS, late, this.#clock);
      return true;
    } catch {
      return false;
    }
  }
}
