import type { Database } from "./connection/database.ts";
import { collectGarbage } from "./garbage.ts";

/** Milliseconds between two looks for what others left. */
const LOOK_MS = 60_000;

/** Removes data of deleted tasks, and what crashed commits left, behind the work of the store. */
export class Janitor {
  readonly #database: Database;
  #running: Promise<void> | undefined;
  #isWantedAgain = false;
  #nextLookMs = 0;
  #isStopping = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** There is something to remove. */
  collectNow(): void {
    if (this.#running !== undefined) this.#isWantedAgain = true;
    else this.#running = this.#run();
  }

  /** There may be, now and then. */
  collectSometimes(): void {
    if (performance.now() < this.#nextLookMs) return;
    this.#nextLookMs = performance.now() + LOOK_MS;
    this.collectNow();
  }

  /** Ends with the step that it is at; others go on. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#isWantedAgain = false;
      // What fails is tried again with the next look: it is all written down.
      await collectGarbage(this.#database, Date.now(), () => this.#isStopping).catch(() => {});
    } while (this.#isWantedAgain && !this.#isStopping);
    this.#running = undefined;
  }
}
