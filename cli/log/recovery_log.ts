import type { AdapterRole, Adapters, Checkable, Clock } from "@taskcast/core/adapter";
import { ADAPTER_ROLES, assertUsable, systemClock } from "@taskcast/core/adapter";
import type { Logger } from "./logger.ts";

/** Milliseconds between two looks while something is away. */
const LOOK_EVERY_MS = 1_000;

/** Milliseconds after which what does not answer is taken to be away. */
const PATIENCE_MS = 5_000;

const NAMES: Readonly<Record<AdapterRole, string>> = {
  broadcast: "the broadcast layer",
  shortTerm: "the short-term store",
  longTerm: "the archive",
};

/** What is asked whether it answers. */
export type Dependencies = { [Role in AdapterRole]?: Pick<Adapters[Role], "check"> };

/**
 * Logs, once, that a dependency answers again and how long it was away. That it is away is told by
 * the errors themselves. Nothing is asked and no timer runs unless there was an error.
 */
export class RecoveryLog {
  readonly #dependencies: [AdapterRole, Checkable][];
  readonly #log: Pick<Logger, "info">;
  readonly #clock: Clock;
  readonly #awaySinceMs = new Map<AdapterRole, number>();
  /** When the first error came that no look has followed yet. */
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

  /** Something failed: looks what is away, until all is back. Called for each error, so it is quick. */
  onError(): void {
    this.#failedAtMs ??= this.#clock.now();
    if (this.#isWatching || this.#isClosed) return;
    this.#isWatching = true;
    void this.#look();
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const failedAtMs = this.#failedAtMs ?? this.#clock.now();
    this.#failedAtMs = undefined;
    await Promise.all(this.#dependencies.map(async ([role, dependency]) => {
      if (await this.#answers(dependency)) this.#isBack(role);
      else if (!this.#awaySinceMs.has(role)) this.#awaySinceMs.set(role, failedAtMs);
    }));
    if (this.#isClosed) return;
    // Also when all is well: errors that have nothing to do with it may come by the thousand.
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#awaySinceMs.size > 0 || this.#failedAtMs !== undefined) void this.#look();
      else this.#isWatching = false;
    }, LOOK_EVERY_MS);
  }

  #isBack(role: AdapterRole): void {
    const sinceMs = this.#awaySinceMs.get(role);
    if (sinceMs === undefined || this.#isClosed) return;
    this.#awaySinceMs.delete(role);
    const awayMs = Math.max(0, Math.round(this.#clock.now() - sinceMs));
    const seconds = Math.round(awayMs / 100) / 10;
    this.#log.info(`${NAMES[role]} answers again, after ${seconds} s`, {
      operation: "recovery",
      dependency: role,
      awayMs,
    });
  }

  async #answers(dependency: Checkable): Promise<boolean> {
    let timer: unknown;
    const late = new Promise<false>((resolve) => {
      timer = this.#clock.setTimeout(() => resolve(false), PATIENCE_MS);
    });
    try {
      return await Promise.race([assertUsable(dependency).then(() => true), late]);
    } catch {
      return false;
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}
