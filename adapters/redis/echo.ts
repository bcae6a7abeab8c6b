import type { HealthReport } from "@taskcast/core/adapter";
import { inTime } from "@taskcast/core/adapter";
import { isDenied, wakeRights } from "./denied.ts";
import type { Partitions } from "./partitions.ts";
import { channelOfAll } from "./partitions.ts";

/** Starts the word of an echo, in place of a task id. No id starts with it. */
const MARK = "!";

/** Publishes a word on the two channels of commits: that of one task and that of all. */
export type PublishWord = (base: string, word: string) => Promise<unknown>;

/** Returns whether a message is an echo of any instance rather than a wake-up. */
export function isEcho(message: string): boolean {
  return message.startsWith(`0 0 0 ${MARK}`);
}

/** Returns the message for a word. */
export function echoOf(word: string): string {
  return `0 0 0 ${word}`;
}

/**
 * Checks wake-ups by publishing to itself in the ways and on the channels of commits. A reply to
 * PING would not show whether the user may use the channels, or whether published messages arrive.
 */
export class Echo {
  readonly #partitions: Partitions;
  readonly #publishers: readonly PublishWord[];
  readonly #listen: (channel: string) => Promise<unknown>;
  readonly #leave: (channel: string) => void;
  readonly #onDeaf: () => void;
  readonly #timeoutMs: number;
  readonly #self: string = MARK + crypto.randomUUID().slice(0, 8);
  readonly #heard = new Map<string, () => void>();
  #count = 0;
  #running?: Promise<HealthReport | undefined>;

  constructor(
    { partitions, publishers, listen, leave, onDeaf, timeoutMs }: {
      partitions: Partitions;
      publishers: readonly PublishWord[];
      /** Subscribes to a channel. */
      listen: (channel: string) => Promise<unknown>;
      /** Unsubscribes, unless there are other listeners. */
      leave: (channel: string) => void;
      /** Called when a published message was not received. */
      onDeaf: () => void;
      timeoutMs: number;
    },
  ) {
    this.#partitions = partitions;
    this.#publishers = publishers;
    this.#listen = listen;
    this.#leave = leave;
    this.#onDeaf = onDeaf;
    this.#timeoutMs = timeoutMs;
  }

  /** Handles a message from a channel. */
  hear(channel: string, message: string): void {
    this.#heard.get(`${channel} ${message}`)?.();
  }

  /** Reports refused or lost messages. Each call checks the next partition. */
  check(): Promise<HealthReport | undefined> {
    this.#running ??= this.#check().finally(() => this.#running = undefined);
    return this.#running;
  }

  async #check(): Promise<HealthReport | undefined> {
    const { bases } = this.#partitions;
    const base = bases[this.#count++ % bases.length]!;
    const ofAll = channelOfAll(base);
    const words = this.#publishers.map((_, way) => `${this.#self}.${this.#count}.${way}`);
    const channels = [ofAll, ...words.map((word) => `${ofAll}:${word}`)];
    const expected = words.flatMap((word) => [
      `${ofAll} ${echoOf(word)}`,
      `${ofAll}:${word} ${echoOf(word)}`,
    ]);
    try {
      const heard = expected.map((key) =>
        new Promise<void>((resolve) => this.#heard.set(key, resolve))
      );
      const publishing = (async () => {
        await Promise.all(channels.map(this.#listen));
        await Promise.all(this.#publishers.map((publish, way) => publish(base, words[way]!)));
      })();
      await inTime(publishing, this.#timeoutMs, () => new Error("Redis does not answer"));
      await inTime(Promise.all(heard), this.#timeoutMs, () => new NotHeard());
    } catch (error) {
      if (error instanceof NotHeard) {
        this.#onDeaf();
        return { status: "unavailable", message: "published wake-ups are not received" };
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
