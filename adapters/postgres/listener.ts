import type { Connections, ConnectOptions } from "./connect.ts";

/** Milliseconds between two looks whether the connection still answers. */
const CHECK_MS = 5_000;

/** Milliseconds until the next attempt after one that failed or a connection that was lost. */
const RETRY_MS = 500;

/** What a listener needs. */
export interface ListenerOptions {
  connect(options: ConnectOptions): Connections;
  /** Milliseconds that an answer may take. */
  timeoutMs: number;
  onNotify(payload: string): void;
  /** It listens again after it did not: much may have been missed. */
  onGap(): void;
}

/**
 * A connection that hears a channel, with one thing that the driver's own does not have: it asks
 * now and then whether it is still connected, so one that has gone silent is noticed.
 */
export class Listener {
  readonly #channel: string;
  readonly #options: ListenerOptions;
  readonly #live = Promise.withResolvers<void>();
  #wasLive = false;
  #running?: Promise<void>;
  #closed = false;
  /** Ends the connection, or the pause before the next. */
  #interrupt = () => {};

  constructor(channel: string, options: ListenerOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Begins to listen, unless it did, and keeps on. Resolves when it is heard for the first time. */
  listen(): Promise<void> {
    if (!this.#closed) this.#running ??= this.#run();
    return this.#live.promise;
  }

  /** Takes a new connection now. */
  renew(): void {
    this.#interrupt();
  }

  /** Releases the connection. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#interrupt();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const lost = Promise.withResolvers<void>();
      this.#interrupt = lost.resolve;
      await this.#hear(lost);
      if (this.#closed) return;
      const pause = Promise.withResolvers<void>();
      this.#interrupt = pause.resolve;
      await soon(RETRY_MS, pause.promise);
    }
  }

  /** Listens on one connection for as long as it is good. */
  async #hear(lost: PromiseWithResolvers<void>): Promise<void> {
    const { connect, timeoutMs, onNotify, onGap } = this.#options;
    const { sql, destroy } = connect({
      max: 1,
      renewed: false,
      onnotify: (_, payload) => onNotify(payload),
      onclose: lost.resolve,
    });
    const answers = async (text: string): Promise<boolean> => {
      const answer = sql.unsafe(text).then(() => true, () => false);
      return await soon(timeoutMs, Promise.race([answer, lost.promise])) === true;
    };
    if (await answers(`LISTEN ${this.#channel}`)) {
      if (this.#wasLive) onGap();
      this.#wasLive = true;
      this.#live.resolve();
      do {
        if (await soon(CHECK_MS, lost.promise.then(() => true)) === true) break;
      } while (await answers("SELECT 1"));
    }
    await destroy();
  }
}

/** What comes, if it comes within so long. */
async function soon<T>(ms: number, what: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([what, over]);
  } finally {
    clearTimeout(timer);
  }
}
