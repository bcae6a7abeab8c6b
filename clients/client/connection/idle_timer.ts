import { startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { Renewal } from "./connect.ts";
import { onWake } from "../wake.ts";

/**
 * Aborts a connection that has gone silent. After a sleep, or when the network returns, an older
 * connection is probably dead without any sign, and is replaced.
 */
export class IdleTimer {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #forgetOuter: () => void;
  readonly #forgetWake: () => void;
  #forgetTimer = () => {};
  /** Time at which the connection counts as lost; `Infinity` while paused. */
  #lostAtMs = Infinity;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#forgetOuter = onAbort(outer, () => this.#controller.abort(outer!.reason));
    this.#forgetWake = onWake((wake) => {
      if (wake !== "visible") this.#controller.abort(new Renewal());
    });
    this.restart();
    this.#watch(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  // Called for every chunk. The timer itself is kept, and checks the time when it fires.
  restart(): void {
    this.#lostAtMs = performance.now() + this.#limitMs;
  }

  pause(): void {
    this.#lostAtMs = Infinity;
  }

  #watch(delayMs: number): void {
    this.#forgetTimer = startTimer(delayMs, () => {
      const leftMs = this.#lostAtMs - performance.now();
      if (leftMs > 0) return this.#watch(Math.min(Math.ceil(leftMs), this.#limitMs));
      const problem = `Nothing came for ${this.#limitMs} ms; the connection is lost`;
      this.#controller.abort(new Error(problem));
    });
  }

  /** Stops the timer, and aborts the connection if it is still open. */
  close(): void {
    this.#forgetTimer();
    this.#forgetOuter();
    this.#forgetWake();
    this.#controller.abort();
  }
}
