import type { HealthReport } from "@taskcast/core/adapter";
import { isDenied, wakeRights } from "./denied.ts";
import { inTime } from "./connection/in_time.ts";
import type { Partitions } from "./partitions.ts";
import { channelOfAll } from "./partitions.ts";

/** Begins what an echo says, in place of the id of a task. No id begins so. */
const MARK = "!";

/** Tells the two channels that commits of a partition tell: of one task, and of all. */
export type Tell = (base: string, word: string) => Promise<unknown>;

/** Returns true if a message is an echo instead of a wake-up. */
export function isEcho(message: string): boolean {
  return message.startsWith(`0 0 0 ${MARK}`);
}

/** Returns the echo of a word. */
export function echoOf(word: string): string {
  return `0 0 0 ${word}`;
}

/**
 * Publishes to itself in the ways and on the channels of commits: an answer to PING says nothing of
 * whether a user may use channels, or of whether what is published arrives.
 */
export class Echo {
  readonly #partitions: Partitions;
  readonly #tells: readonly Tell[];
  readonly #listen: (channel: string) => Promise<unknown>;
  readonly #leave: (channel: string) => void;
  readonly #onDeaf: () => void;
  readonly #timeoutMs: number;
  readonly #self: string = MARK + crypto.randomUUID().slice(0, 8);
  readonly #heard = new Map<string, () => void>();
  #count = 0;
  #running?: Promise<HealthReport | undefined>;

  constructor(
    { partitions, tells, listen, leave, onDeaf, timeoutMs }: {
      partitions: Partitions;
      tells: readonly Tell[];
      /** Listens to a channel. */
      listen: (channel: string) => Promise<unknown>;
      /** Listens to it no more, unless others do. */
      leave: (channel: string) => void;
      /** Told when something was published and not heard. */
      onDeaf: () => void;
      timeoutMs: number;
    },
  ) {
    this.#partitions = partitions;
    this.#tells = tells;
    this.#listen = listen;
    this.#leave = leave;
    this.#onDeaf = onDeaf;
    this.#timeoutMs = timeoutMs;
  }

  /** Takes what came from a channel. */
  hear(channel: string, message: string): void {
    this.#heard.get(`${channel} ${message}`)?.();
  }

  /** Reports what is refused or not heard. On one partition, the next time on the next. */
  check(): Promise<HealthReport | undefined> {
    this.#running ??= this.#check().finally(() => this.#running = undefined);
    return this.#running;
  }

  async #check(): Promise<HealthReport | undefined> {
    const { bases } = this.#partitions;
    const base = bases[this.#count++ % bases.length]!;
    const ofAll = channelOfAll(base);
    const words = this.#tells.map((_, way) => `${this.#self}.${this.#count}.${way}`);
    const channels = [ofAll, ...words.map((word) => `${ofAll}:${word}`)];
    const expected = words.flatMap((word) => [
      `${ofAll} ${echoOf(word)}`,
      `${ofAll}:${word} ${echoOf(word)}`,
    ]);
    try {
      const heard = expected.map((key) =>
        new Promise<void>((resolve) => this.#heard.set(key, resolve))
      );
      const telling = (async () => {
        await Promise.all(channels.map(this.#listen));
        await Promise.all(this.#tells.map((tell, way) => tell(base, words[way]!)));
      })();
      await inTime(telling, this.#timeoutMs, () => new Error("Redis does not answer"));
      await inTime(Promise.all(heard), this.#timeoutMs, () => new NotHeard());
    } catch (error) {
      if (error instanceof NotHeard) {
        this.#onDeaf();
        return { status: "unavailable", message: "what is published for wake-ups is not heard" };
      }
      if (!isDenied(error)) throw error;
      return { status: "unavailable", message: wakeRights(this.#partitions, error).message };
    } finally {
      for (const key of expected) this.#heard.delete(key);
      for (const channel of channels) this.#leave(channel);
    }
  }
}

class NotHeard extends Error {}
