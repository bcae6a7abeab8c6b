import { startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { Renewal } from "./connect.ts";
import { onWake } from "./wake.ts";

/**
 * Aborts a connection on which nothing comes any more. After a sleep, or when the network is back,
 * a connection of before is most likely dead without a sign of it, and is made anew.
 */
export class IdleTimer {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #forgetOuter: () => void;
  readonly #forgetWake: () => void;
  #forgetTimer = () => {};
  /** When the connection counts as lost; never while paused. */
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

  // Called for every chunk, so the timer stays as it is and looks at the time when it fires.
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

  /** Also gives up the connection, if it is still there. */
  close(): void {
    this.#forgetTimer();
    this.#forgetOuter();
    this.#forgetWake();
    this.#controller.abort();
  }
}
