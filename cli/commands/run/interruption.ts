import { exitCodeOf } from "./child_process.ts";
import { onSignals } from "../../command_line/signals.ts";

/** SIGHUP comes when the terminal is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Signals that ask `taskcast run` to end. The first stops the command and the second kills it; the
 * task is still told how it ended. One more gives that up, for a server that does not answer.
 */
export class Interruption {
  /** Resolves with the exit code when nothing is to be waited for any more. */
  readonly leave: Promise<number>;
  readonly #leave: (code: number) => void;
  readonly #remove: () => void;
  #stop?: (signal: NodeJS.Signals) => void;
  #hasCommand = false;
  #count = 0;
  #signal?: NodeJS.Signals;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.leave = promise;
    this.#leave = resolve;
    this.#remove = onSignals(SIGNALS, (signal) => this.#onSignal(signal));
  }

  /** The signal that came first while the command ran or before. */
  get signal(): NodeJS.Signals | undefined {
    return this.#signal;
  }

  /** Passes signals on to a command for as long as it runs. */
  async during<T>(
    command: { outcome: Promise<T>; stop(signal: NodeJS.Signals): void },
  ): Promise<T> {
    this.#hasCommand = true;
    this.#stop = (signal) => command.stop(signal);
    try {
      return await command.outcome;
    } finally {
      this.#stop = undefined;
    }
  }

  /** Lets signals do what they usually do. */
  close(): void {
    this.#remove();
  }

  #onSignal(signal: NodeJS.Signals): void {
    this.#count++;
    if (this.#count > (this.#hasCommand ? 2 : 1)) return this.#leave(exitCodeOf(signal));
    // What comes after the command has ended does not change how it ended.
    if (!this.#hasCommand || this.#stop !== undefined) this.#signal ??= signal;
    this.#stop?.(signal);
  }
}
