import type { Database } from "./connection/database.ts";
import { collectGarbage } from "./garbage.ts";

/** Milliseconds between checks for garbage of other processes. */
const LOOK_MS = 60_000;

/** Removes data of deleted tasks and of crashed commits in the background. */
export class Janitor {
  readonly #database: Database;
  #running: Promise<void> | undefined;
  #isWantedAgain = false;
  #nextLookMs = 0;
  #isStopping = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Collects now, since there is garbage. */
  collectNow(): void {
    if (this.#running !== undefined) this.#isWantedAgain = true;
    else this.#running = this.#run();
  }

  /** Collects if the last collection was long ago. */
  collectSometimes(): void {
    if (performance.now() < this.#nextLookMs) return;
    this.#nextLookMs = performance.now() + LOOK_MS;
    this.collectNow();
  }

  /** Stops after the current step; other processes continue. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#isWantedAgain = false;
      // A failure is retried with the next check: all garbage is recorded.
      await collectGarbage(this.#database, Date.now(), () => this.#isStopping).catch(() => {});
    } while (this.#isWantedAgain && !this.#isStopping);
    this.#running = undefined;
  }
}
