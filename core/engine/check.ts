import type { Checkable } from "../contracts/health.ts";
import { inTime } from "../contracts/in_time.ts";
import type { EngineContext } from "../context/context.ts";

/** The health of a dependency. */
export interface DependencyState {
  /** Set if it responds. */
  ok: boolean;
  /** The reason it cannot be used. Contains no address and no credentials. */
  error?: string;
  /** The part of it that cannot be used although it responds. Contains no address and no credentials. */
  degraded?: string;
  /** Set if nothing works without it. */
  required: boolean;
  /** Milliseconds by which the archive is behind. */
  lagMs?: number;
}

/** The result of a check. */
type Known = Pick<DependencyState, "ok" | "error" | "degraded">;

/** Milliseconds after which a dependency that does not respond counts as unreachable. */
const CHECK_MS = 5_000;

/** Default milliseconds that a caller waits. Probes of servers often time out after one second. */
const PATIENCE_MS = 400;

/** Milliseconds for which a result may be returned while a newer check is slow. */
const KNOWN_MS = 15_000;

/** Checks dependencies, and remembers the results. */
export class HealthChecks {
  readonly #checks: Record<string, { check: DependencyCheck; required: boolean }>;

  constructor(context: EngineContext) {
    const { broadcast, store, archive } = context;
    const of = (name: string, dependency: Checkable, required: boolean) => ({
      check: new DependencyCheck(context, name, dependency),
      required,
    });
    // Without wake-ups readers poll, and without the archive tasks in the short-term store still work.
    this.#checks = {
      broadcast: of("broadcast", broadcast, false),
      shortTermStore: of("shortTermStore", store, true),
      ...(archive && { longTermStore: of("longTermStore", archive, false) }),
    };
  }

  /** Returns the newest known state of each dependency within half a second. */
  async states(
    { patienceMs = PATIENCE_MS, lagMs }: { patienceMs?: number; lagMs?: number },
  ): Promise<Record<string, DependencyState>> {
    const states = await Promise.all(
      Object.entries(this.#checks).map(async ([name, { check, required }]) => {
        const state: DependencyState = { ...await check.newest(patienceMs), required };
        if (name === "longTermStore") state.lagMs = lagMs;
        return [name, state] as const;
      }),
    );
    return Object.fromEntries(states);
  }
}

/** Checks one dependency, with at most one check in progress. */
class DependencyCheck {
  readonly #context: EngineContext;
  readonly #name: string;
  readonly #dependency: Checkable;
  #known?: { state: Known; atMs: number };
  #running?: Promise<void>;

  constructor(context: EngineContext, name: string, dependency: Checkable) {
    this.#context = context;
    this.#name = name;
    this.#dependency = dependency;
  }

  /** Returns the result of a new or running check, or the previous result if that takes too long. */
  async newest(patienceMs: number): Promise<Known> {
    this.#running ??= this.#run().finally(() => this.#running = undefined);
    await this.#within(patienceMs, this.#running).catch(() => {});
    const { clock } = this.#context;
    if (this.#known !== undefined && clock.now() - this.#known.atMs <= KNOWN_MS) {
      return this.#known.state;
    }
    return { ok: false, error: "does not answer" };
  }

  async #run(): Promise<void> {
    const { clock } = this.#context;
    const state = await this.#ask();
    this.#known = { state, atMs: clock.now() };
  }

  async #ask(): Promise<Known> {
    try {
      const report = await this.#within(CHECK_MS, this.#dependency.check());
      if (report === undefined) return { ok: true };
      const { status, message } = report;
      return status === "degraded"
        ? { ok: true, degraded: message }
        : { ok: false, error: message };
    } catch (error) {
      this.#context.report(error, { operation: `check ${this.#name}` });
      return { ok: false, error: "cannot be reached" };
    }
  }

  #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    return inTime(promise, ms, () => new Error("no answer"), this.#context.clock);
  }
}
