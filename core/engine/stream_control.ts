/** Wakes a reader that waits: there is more or the end, or only a sign of life is due. */
export type Wake = (reason?: "heartbeat") => void;

/** How the one who reads a stream stops it, also while it waits. */
export class StreamControl {
  /** The reader is gone, or the engine closes. */
  closed = false;
  /** Ends the present wait. */
  wake?: Wake;
  readonly #open: Set<StreamControl>;

  /** @param open Where it is listed from the first read of the stream until its end. */
  constructor(open: Set<StreamControl>) {
    this.#open = open;
  }

  /** The stream is read for the first time. */
  began(): void {
    this.#open.add(this);
  }

  /** The stream has ended, in whatever way. */
  ended(): void {
    this.#open.delete(this);
  }

  /** Ends the stream at its next step, and the present wait at once. Safe to call twice. */
  close(): void {
    this.closed = true;
    this.wake?.();
  }
}
