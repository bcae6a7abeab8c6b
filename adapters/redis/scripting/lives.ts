import type { TaskcastError } from "@taskcast/core/protocol";
import { unavailable } from "../connection/unavailable.ts";

/** Milliseconds between two looks at whether lost data is back, or its loss was accepted. */
const LOOK_EVERY_MS = 500;

/** Words that an error names; there is nearly always one. */
const MAX_NAMED = 5;

/** Asks what became of data that was known by a word. */
export type FindLife = (base: string, word: string) => Promise<{ accepted: boolean; word: string }>;

/**
 * The word by which this process knows the data of each partition, and which of them were lost or
 * replaced since.
 *
 * A lost partition is refused, since an empty log would look like the truth, until its data is back
 * or an operator has accepted the loss of what was known by that word.
 */
export class Lives {
  readonly #partitions: number;
  readonly #words = new Map<string, string>();
  readonly #lost = new Map<string, { lookedAtMs: number; looking?: Promise<void> }>();

  /** @param partitions How many there are. */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  /** The word of a partition, or "" before it is known. */
  wordOf(base: string): string {
    return this.#words.get(base) ?? "";
  }

  /** Takes the word that a partition has, if none is known. */
  learn(base: string, word: string): void {
    if (!this.#words.has(base)) this.#words.set(base, word);
  }

  /** Notes that the data of a partition is not what it was. */
  lose(base: string): void {
    if (!this.#lost.has(base)) this.#lost.set(base, { lookedAtMs: -Infinity });
  }

  /** How many partitions are lost. */
  get lost(): number {
    return this.#lost.size;
  }

  /** Returns true if a partition is lost. */
  isLost(base: string): boolean {
    return this.#lost.has(base);
  }

  /** Looks, now and then, whether a partition that was lost can be used again. */
  async look(base: string, find: FindLife): Promise<void> {
    const loss = this.#lost.get(base);
    if (loss === undefined) return;
    if (loss.looking === undefined && performance.now() >= loss.lookedAtMs + LOOK_EVERY_MS) {
      loss.lookedAtMs = performance.now();
      loss.looking = this.#look(base, find).finally(() => loss.looking = undefined);
    }
    await loss.looking;
  }

  /** Cause and remedy, for errors and health. */
  get message(): string {
    const words = new Set([...this.#lost.keys()].map((base) => this.wordOf(base)));
    const named = [...words].slice(0, MAX_NAMED).join(" ");
    return `data was lost or replaced while this process ran (${named}, in ${this.#lost.size} of ` +
      `${this.#partitions} partitions): restore it, or accept the loss on all instances at once ` +
      `with "taskcast redis accept-loss ${named}"`;
  }

  /** The error for calls about a lost partition. */
  get error(): TaskcastError {
    return unavailable(this.message);
  }

  async #look(base: string, find: FindLife): Promise<void> {
    const known = this.wordOf(base);
    const { accepted, word } = await find(base, known);
    if (word !== known && !accepted) return;
    this.#words.set(base, word);
    this.#lost.delete(base);
  }
}
