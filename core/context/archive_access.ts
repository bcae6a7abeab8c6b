import type { Clock } from "../contracts/clock.ts";
import type { ErrorContext } from "../contracts/hooks.ts";
import type { LongTermStore } from "../contracts/long_term_store.ts";

/** Milliseconds for which nobody asks an archive that did not answer. */
const AWAY_MS = 1_000;

/** Milliseconds that callers wait for a small answer. */
const PATIENCE_MS = 1_000;

/**
 * Asks the archive for callers who can go on without it. They wait for a moment at most, and while it
 * is known to be away one of them a second.
 */
export class ArchiveAccess {
  readonly #archive: LongTermStore;
  readonly #clock: Clock;
  readonly #report: (error: unknown, context: ErrorContext) => void;
  #awayUntilMs = -Infinity;

  constructor(
    archive: LongTermStore,
    clock: Clock,
    report: (error: unknown, context: ErrorContext) => void,
  ) {
    this.#archive = archive;
    this.#clock = clock;
    this.#report = report;
  }

  /** What the archive says, or `undefined` when it cannot be asked. */
  async ask<T>(
    question: (archive: LongTermStore) => Promise<T>,
    { patienceMs = PATIENCE_MS }: { patienceMs?: number } = {},
  ): Promise<{ answer: T } | undefined> {
    if (this.#clock.now() < this.#awayUntilMs) return undefined;
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`The archive did not answer within ${patienceMs} ms`);
      timer = this.#clock.setTimeout(() => reject(error), patienceMs);
    });
    try {
      return { answer: await Promise.race([question(this.#archive), late]) };
    } catch (error) {
      this.#awayUntilMs = this.#clock.now() + AWAY_MS;
      this.#report(error, { operation: "archive" });
      return undefined;
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }
}
