import type { Checkable } from "../contracts/health.ts";
import type { EngineContext } from "../context/context.ts";

/** Whether a dependency can be used. */
export interface DependencyState {
  /** It answers. */
  ok: boolean;
  /** Why it cannot be used. Names no address and no credentials. */
  error?: string;
  /** What of it cannot be used, though it answers. Names no address and no credentials. */
  degraded?: string;
  /** Nothing works without it. */
  required: boolean;
  /** Milliseconds by which the archive is behind. */
  lagMs?: number;
}

/** What a check comes to. */
type Known = Pick<DependencyState, "ok" | "error" | "degraded">;

/** Milliseconds after which a dependency that does not answer is taken to be away. */
const CHECK_MS = 5_000;

/** Milliseconds that who asks waits; whoever probes a server often waits no longer than a second. */
const PATIENCE_MS = 400;

/** Milliseconds for which the outcome of a check stands in for one that takes longer. */
const KNOWN_MS = 15_000;

/** Asks dependencies whether they can be used, and remembers what they said. */
export class HealthChecks {
  readonly #checks: Record<string, { check: DependencyCheck; required: boolean }>;

  constructor(context: EngineContext) {
    const { broadcast, store, archive } = context;
    const of = (name: string, dependency: Checkable, required: boolean) => ({
      check: new DependencyCheck(context, name, dependency),
      required,
    });
    // Without wake-ups readers poll, and without the archive what is hot still works.
    this.#checks = {
      broadcast: of("broadcast", broadcast, false),
      shortTermStore: of("shortTermStore", store, true),
      ...(archive && { longTermStore: of("longTermStore", archive, false) }),
    };
  }

  /** The state of each dependency, within half a second: the newest that is known. */
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

/** Checks one dependency, once at a time. */
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

  /** What a check says that is begun or under way, or what was known before if that takes long. */
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

  async #within<T>(ms: number, promise: Promise<T>): Promise<T> {
    const { clock } = this.#context;
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error("no answer")), ms);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clock.clearTimeout(timer);
    }
  }
}
