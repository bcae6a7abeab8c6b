import type { TaskcastError } from "@taskcast/core/protocol";
import { unavailable } from "../connection/unavailable.ts";

/** Milliseconds between checks whether lost data is back or its loss was accepted. */
const LOOK_EVERY_MS = 500;

/** Maximum number of words in an error; there is nearly always one. */
const MAX_NAMED = 5;

/** Looks up what became of the generation with a word. */
export type FindGeneration = (
  base: string,
  word: string,
) => Promise<{ accepted: boolean; word: string }>;

/**
 * The generation of each partition's data: a random word that is stored with the data and known to
 * this process. Tracks which partitions were lost or replaced.
 *
 * Calls on a lost partition are refused, since an empty log would look like the truth. They are
 * allowed again when its data is back or an operator has accepted the loss of that generation.
 */
export class Generations {
  readonly #partitions: number;
  readonly #words = new Map<string, string>();
  readonly #lost = new Map<string, { lookedAtMs: number; looking?: Promise<void> }>();

  /** @param partitions The number of partitions. */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  /** Returns the word of a partition, or "" before it is known. */
  of(base: string): string {
    return this.#words.get(base) ?? "";
  }

  /** Sets the word of a partition unless one is known. */
  learn(base: string, word: string): void {
    if (!this.#words.has(base)) this.#words.set(base, word);
  }

  /** Schedules a partition as lost or replaced. */
  markLost(base: string): void {
    if (!this.#lost.has(base)) this.#lost.set(base, { lookedAtMs: -Infinity });
  }

  /** Number of lost partitions. */
  get lostCount(): number {
    return this.#lost.size;
  }

  /** Returns whether a partition is lost. */
  isLost(base: string): boolean {
    return this.#lost.has(base);
  }

  /** Checks, at intervals, whether a lost partition can be used again. */
  async recheck(base: string, find: FindGeneration): Promise<void> {
    const loss = this.#lost.get(base);
    if (loss === undefined) return;
    if (loss.looking === undefined && performance.now() >= loss.lookedAtMs + LOOK_EVERY_MS) {
      loss.lookedAtMs = performance.now();
      loss.looking = this.#look(base, find).finally(() => loss.looking = undefined);
    }
    await loss.looking;
  }

  /** The problem and its remedy, for errors and health reports. */
  get message(): string {
    const words = new Set([...this.#lost.keys()].map((base) => this.of(base)));
    const named = [...words].slice(0, MAX_NAMED).join(" ");
    return `data was lost or replaced while this process ran (${named}, in ${this.#lost.size} of ` +
      `${this.#partitions} partitions): restore it, or accept the loss on all instances at once ` +
      `with "taskcast redis accept-loss ${named}"`;
  }

  /** The error for calls on a lost partition. */
  get error(): TaskcastError {
    return unavailable(this.message);
  }

  async #look(base: string, find: FindGeneration): Promise<void> {
    const known = this.of(base);
    const { accepted, word } = await find(base, known);
    if (word !== known && !accepted) return;
    this.#words.set(base, word);
    this.#lost.delete(base);
  }
}
