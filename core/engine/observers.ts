import type { EngineObserver } from "../contracts/observer.ts";

/** Those who measure an engine. None costs nothing; what one throws reaches nobody. */
export class Observers {
  readonly #all = new Set<EngineObserver>();
  readonly #failed: (error: unknown) => void;

  /** @param failed Told of what an observer throws. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Adds one; the answer takes it away again. */
  add(observer: EngineObserver): () => void {
    this.#all.add(observer);
    return () => void this.#all.delete(observer);
  }

  /** Tells all of them. */
  tell<Name extends keyof EngineObserver>(
    name: Name,
    ...args: Parameters<NonNullable<EngineObserver[Name]>>
  ): void {
    for (const observer of this.#all) {
      try {
        (observer[name] as ((...args: unknown[]) => void) | undefined)?.apply(observer, args);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
