import type { Connections, ConnectOptions } from "./connect.ts";

/** Milliseconds between two looks whether the connection still answers. */
const CHECK_MS = 5_000;

/** Milliseconds until the next attempt after one that failed or a connection that was lost. */
const RETRY_MS = 500;

/** Milliseconds in which what was published to oneself must be heard. */
const ECHO_MS = 2_000;

/** Options of a listener. */
export interface ListenerOptions {
  connect(options: ConnectOptions): Connections;
  /** Milliseconds that an answer may take. */
  timeoutMs: number;
  /** Publishes on a channel as wake-ups are published, which may be by way of a pooler. */
  publish(channel: string): Promise<unknown>;
  onNotify(payload: string): void;
  /** It listens again after it did not: much may have been missed. */
  onGap(): void;
}

/**
 * A connection that hears a channel, with what the driver's own does not have: it asks now and then
 * whether it is still connected, so one that has gone silent is noticed, and whether it hears what
 * is published to it, since behind a pooler that gives each transaction another connection it
 * answers and hears nothing.
 */
export class Listener {
  readonly #channel: string;
  readonly #echo = `taskcast_echo_${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #options: ListenerOptions;
  readonly #live = Promise.withResolvers<void>();
  #wasLive = false;
  /** True if the current connection receives notifications; undefined if unknown. */
  #isHeard?: boolean;
  readonly #whenKnown = new Set<() => void>();
  #onEcho = () => {};
  #running?: Promise<void>;
  #closed = false;
  /** That of the connection, or of the pause before the next. */
  #end = new End();

  constructor(channel: string, options: ListenerOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Begins to listen, unless it did, and keeps on. Resolves when it is heard for the first time. */
  listen(): Promise<void> {
    if (!this.#closed) this.#running ??= this.#run();
    return this.#live.promise;
  }

  /**
   * Returns true if it receives what is published; `undefined` if unknown within a few seconds,
   * because there is no connection, or nothing can be published.
   */
  async hears(): Promise<boolean | undefined> {
    void this.listen();
    if (this.#isHeard === undefined && !this.#closed) {
      const known = new Promise<void>((resolve) => this.#whenKnown.add(resolve));
      await new End().within(2 * ECHO_MS, known);
    }
    return this.#isHeard;
  }

  /** Takes a new connection now. */
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

  /** Listens on one connection for as long as it is good. */
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

  /** Publishes to itself. `undefined` if nothing could be published, or the connection was lost. */
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

/** An end that may come while something is waited for. */
class End {
  hasCome = false;
  readonly #onCome = new Set<() => void>();

  come(): void {
    this.hasCome = true;
    for (const listener of [...this.#onCome]) listener();
  }

  /** Returns the result of `what`, or undefined if the end or `ms` milliseconds come first. */
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
