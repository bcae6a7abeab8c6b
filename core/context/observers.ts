import type { EngineObserver, ObservedCommit } from "../contracts/observer.ts";

/** Those who measure an engine. None costs nothing; what one throws reaches nobody. */
export class Observers {
  /** Replaced when it changes, so that one may leave while all are told. */
  #all: readonly EngineObserver[] = [];
  readonly #failed: (error: unknown) => void;

  /** @param failed Told of what an observer throws. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Nobody measures. */
  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Adds one; the answer takes it away again. */
  add(observer: EngineObserver): () => void {
    const others = () => this.#all.filter((other) => other !== observer);
    this.#all = [...others(), observer];
    return () => void (this.#all = others());
  }

  /** Tells all of them of a commit: {@linkcode tell} for what happens most often. */
  tellCommit(commit: ObservedCommit): void {
    for (const observer of this.#all) {
      try {
        observer.onCommit?.(commit);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  /** Tells all of them. */
  tell<Name extends Exclude<keyof EngineObserver, "onCommit">>(
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
