import type { EngineObserver, ObservedCommit } from "../contracts/observer.ts";

/** The observers of an engine. Without any they cost nothing, and their errors are only reported. */
export class Observers {
  /** Replaced on each change, so that an observer may be removed during a notification. */
  #all: readonly EngineObserver[] = [];
  readonly #failed: (error: unknown) => void;

  /** @param failed Receives errors that observers throw. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Set if there is no observer. */
  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Adds an observer. The returned function removes it. */
  add(observer: EngineObserver): () => void {
    const others = () => this.#all.filter((other) => other !== observer);
    this.#all = [...others(), observer];
    return () => void (this.#all = others());
  }

  /** Notifies all observers of a commit; a faster {@linkcode notify} for the most frequent event. */
  notifyCommit(commit: ObservedCommit): void {
    for (const observer of this.#all) {
      try {
        observer.onCommit?.(commit);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  /** Notifies all observers. */
  notify<Name extends Exclude<keyof EngineObserver, "onCommit">>(
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
