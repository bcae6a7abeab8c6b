import type { Connections, ConnectOptions } from "./connect.ts";

/** Milliseconds between checks that the connection still replies. */
const CHECK_MS = 5_000;

/** Milliseconds before the next attempt after a failed one or a lost connection. */
const RETRY_MS = 500;

/** Milliseconds in which a message published to oneself must be received. */
const ECHO_MS = 2_000;

/** Options of a {@linkcode Listener}. */
export interface ListenerOptions {
  connect(options: ConnectOptions): Connections;
  /** Milliseconds that a reply may take. */
  timeoutMs: number;
  /** Publishes on a channel in the way of wake-ups, possibly through a pooler. */
  publish(channel: string): Promise<unknown>;
  onNotify(payload: string): void;
  /** Called when it listens again after a gap, in which signals may have been missed. */
  onGap(): void;
}

/**
 * A connection that listens on a channel. Unlike the driver's own, it checks periodically that the
 * connection is alive, so a silent one is noticed, and that it receives what is published: behind a
 * pooler that gives each transaction another connection, it replies but receives nothing.
 */
export class Listener {
  readonly #channel: string;
  readonly #echo = `taskcast_echo_${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #options: ListenerOptions;
  readonly #live = Promise.withResolvers<void>();
  #wasLive = false;
  /** Whether the current connection receives messages; `undefined` while unknown. */
  #isHeard?: boolean;
  readonly #whenKnown = new Set<() => void>();
  #onEcho = () => {};
  #running?: Promise<void>;
  #closed = false;
  /** Ends the current connection, or the pause before the next. */
  #end = new End();

  constructor(channel: string, options: ListenerOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Starts listening, unless it has started, and keeps on. Resolves when it first receives. */
  listen(): Promise<void> {
    if (!this.#closed) this.#running ??= this.#run();
    return this.#live.promise;
  }

  /**
   * Returns whether it receives what is published; `undefined` if that is unknown after a few
   * seconds, because there is no connection or publishing fails.
   */
  async hears(): Promise<boolean | undefined> {
    void this.listen();
    if (this.#isHeard === undefined && !this.#closed) {
      const known = new Promise<void>((resolve) => this.#whenKnown.add(resolve));
      await new End().within(2 * ECHO_MS, known);
    }
    return this.#isHeard;
  }

  /** Switches to a new connection. */
  renew(): void {
    this.#end.come();
  }

  /** Releases the connection. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#know(undefined);
    this.#end.come();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#hear(this.#end = new End());
      if (this.#closed) return;
      this.#end = new End();
      await this.#end.within(RETRY_MS);
    }
  }

  /** Listens on one connection for as long as it works. */
  async #hear(end: End): Promise<void> {
    const { connect, timeoutMs, onNotify, onGap } = this.#options;
    const { sql, destroy } = connect({
      max: 1,
      renewed: false,
      onnotify: (channel, payload) => channel === this.#echo ? this.#onEcho() : onNotify(payload),
      onclose: () => end.come(),
    });
    const answers = async (text: string): Promise<boolean> =>
      await end.within(timeoutMs, sql.unsafe(text).then(() => true, () => false)) ?? false;
    if (await answers(`LISTEN ${this.#channel}; LISTEN ${this.#echo}`)) {
      if (this.#wasLive) onGap();
      this.#wasLive = true;
      this.#live.resolve();
      let didHear = false;
      do {
        const hears = await this.#hearsItself(end);
        if (didHear && hears === false) break; // Another connection may do better.
        didHear ||= hears === true;
        this.#know(hears);
        await end.within(CHECK_MS);
      } while (await answers("SELECT 1"));
    }
    this.#isHeard = undefined;
    await destroy();
  }

  /** Publishes to itself. Returns `undefined` if publishing failed or the connection was lost. */
  async #hearsItself(end: End): Promise<boolean | undefined> {
    const echo = new Promise<true>((resolve) => this.#onEcho = () => resolve(true));
    const { publish, timeoutMs } = this.#options;
    const published = publish(this.#echo).then(() => true, () => false);
    if (!await end.within(timeoutMs, published)) return undefined;
    return await end.within(ECHO_MS, echo) ?? (end.hasCome ? undefined : false);
  }

  #know(hears: boolean | undefined): void {
    this.#isHeard = hears;
    for (const resolve of this.#whenKnown) resolve();
    this.#whenKnown.clear();
  }
}

/** An end that interrupts waits. */
class End {
  hasCome = false;
  readonly #onCome = new Set<() => void>();

  come(): void {
    this.hasCome = true;
    for (const listener of [...this.#onCome]) listener();
  }

  /** Waits for a promise, up to the end or a number of milliseconds. */
  within<T>(ms: number, what?: Promise<T>): Promise<T | undefined> {
    if (this.hasCome) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#onCome.delete(stop);
      };
      const stop = () => {
        settle();
        resolve(undefined);
      };
      const timer = setTimeout(stop, ms);
      this.#onCome.add(stop);
      what?.then((value) => {
        settle();
        resolve(value);
      }, (error) => {
        settle();
        reject(error);
      });
    });
  }
}
