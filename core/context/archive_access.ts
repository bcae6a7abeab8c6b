import type { Clock } from "../contracts/clock.ts";
import type { ErrorContext } from "../contracts/hooks.ts";
import { inTime } from "../contracts/in_time.ts";
import type { LongTermStore } from "../contracts/long_term_store.ts";

/** Milliseconds for which an archive that did not respond is not asked again. */
const AWAY_MS = 1_000;

/** Default milliseconds that a caller waits for the archive. */
const PATIENCE_MS = 1_000;

/**
 * Queries the archive for callers that can continue without it. A caller waits only briefly, and while the
 * archive is known to be unreachable only one caller a second waits at all.
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

  /** Returns the archive's answer, or `undefined` if the archive cannot be reached. */
  async ask<T>(
    question: (archive: LongTermStore) => Promise<T>,
    { patienceMs = PATIENCE_MS }: { patienceMs?: number } = {},
  ): Promise<{ answer: T } | undefined> {
    if (this.#clock.now() < this.#awayUntilMs) return undefined;
    const late = () => new Error(`The archive did not answer within ${patienceMs} ms`);
    try {
      return { answer: await inTime(question(this.#archive), patienceMs, late, this.#clock) };
    } catch (error) {
      this.#awayUntilMs = this.#clock.now() + AWAY_MS;
      this.#report(error, { operation: "archive" });
      return undefined;
    }
  }
}
