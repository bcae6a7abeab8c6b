import { startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { Renewal } from "./connect.ts";
import { onWake } from "../wake.ts";

/**
 * Aborts a connection on which nothing arrives for too long. Also aborts it after the machine slept
 * or the network came back: the old connection is then probably dead, although no error appeared.
 */
export class IdleTimer {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #removeOuterListener: () => void;
  readonly #removeWakeListener: () => void;
  #cancelTimer = () => {};
  /** Time at which the connection counts as lost; `Infinity` while paused. */
  #lostAtMs = Infinity;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#removeOuterListener = onAbort(outer, () => this.#controller.abort(outer!.reason));
    this.#removeWakeListener = onWake((wake) => {
      if (wake !== "visible") this.#controller.abort(new Renewal());
    });
    this.restart();
    this.#watch(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  // Called for every chunk, so it only moves the deadline; the running timer checks it when it fires.
  restart(): void {
    this.#lostAtMs = performance.now() + this.#limitMs;
  }

  pause(): void {
    this.#lostAtMs = Infinity;
  }

  #watch(delayMs: number): void {
    this.#cancelTimer = startTimer(delayMs, () => {
      const leftMs = this.#lostAtMs - performance.now();
      if (leftMs > 0) return this.#watch(Math.min(Math.ceil(leftMs), this.#limitMs));
      const problem = `Nothing came for ${this.#limitMs} ms; the connection is lost`;
      this.#controller.abort(new Error(problem));
    });
  }

  /** Stops the timer, and aborts the connection if it is still open. */
  close(): void {
    this.#cancelTimer();
    this.#removeOuterListener();
    this.#removeWakeListener();
    this.#controller.abort();
  }
}
