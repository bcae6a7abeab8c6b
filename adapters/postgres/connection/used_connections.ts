import type { Connections } from "./connect.ts";

/** Milliseconds that pending work may take when the connections are to be closed. */
const DRAIN_MS = 5_000;

/** Connections that were made together, with a count of pending work. */
export class UsedConnections {
  readonly #connections: Connections;
  #users = 0;
  #onIdle = () => {};
  #closing: Promise<void> | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  get sql(): Connections["sql"] {
    return this.#connections.sql;
  }

  /** Runs work that {@linkcode close} waits for, within limits. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      if (--this.#users === 0) this.#onIdle();
    }
  }

  /**
   * Closes them when nothing is pending, or after a few seconds. The driver's own close leaves
   * statements unanswered that had no connection yet (3.4.9).
   */
  async close(): Promise<void> {
    await (this.#closing ??= this.#drain());
  }

  async #drain(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DRAIN_MS);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await (this.#users === 0 ? this.#connections.close() : this.#connections.destroy());
  }

  /** Closes them at once, whatever is pending. */
  async destroy(): Promise<void> {
    await this.#connections.destroy();
  }
}
