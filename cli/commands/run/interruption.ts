import { exitCodeOf } from "./child_process.ts";
import { onSignals } from "../../command_line/signals.ts";

/** Signals that end a command; SIGHUP is sent when the terminal is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Handles the signals that ask `taskcast run` to end. The first stops the command and the second kills
 * it; the task still records how it ended. One more leaves at once, in case the server does not
 * answer.
 */
export class Interruption {
  /** Resolves with the exit code when the program is to leave at once. */
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

  /** The first signal before the command ended. */
  get signal(): NodeJS.Signals | undefined {
    return this.#signal;
  }

  /** Forwards signals to a command while it runs. */
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

  /** Restores the default of the signals. */
  close(): void {
    this.#remove();
  }

  #onSignal(signal: NodeJS.Signals): void {
    this.#count++;
    if (this.#count > (this.#hasCommand ? 2 : 1)) return this.#leave(exitCodeOf(signal));
    // A signal after the end of the command does not change its outcome.
    if (!this.#hasCommand || this.#stop !== undefined) this.#signal ??= signal;
    this.#stop?.(signal);
  }
}
