/** Wakes a reader that waits: there is more or the end, or only a sign of life is due. */
export type Wake = (reason?: "heartbeat") => void;

/** The streams that are being read. */
export interface StreamList {
  /** One more; it is closed at once where all are to end. */
  add(control: StreamControl): void;
  /** One less. */
  delete(control: StreamControl): void;
}

/** How the one who reads a stream stops it, also while it waits. */
export class StreamControl {
  /** The reader is gone, or the engine closes. */
  closed = false;
  /** The engine closes: the reader is owed what is in memory, and nothing more. */
  isOwed = false;
  /** Told that the stream was closed: perhaps nobody waits who would notice. */
  owner?: { onClosed(): void } = undefined;
  /** Ends the present wait. */
  wake?: Wake;
  /** It waits in a {@linkcode ReaderList}. */
  isWaiting = false;
  /** Which one it was to come there, from 1. */
  arrival?: number = undefined;
  readonly #list: StreamList;

  /** @param list Where it is from the first read of the stream until its end. */
  constructor(list: StreamList) {
    this.#list = list;
  }

  /** The stream is read for the first time. */
  began(): void {
    this.#list.add(this);
  }

  /** The stream has ended, in whatever way. */
  ended(): void {
    this.#list.delete(this);
  }

  /** Ends the stream at its next step, and the present wait at once. Safe to call twice. */
  close(): void {
    this.closed = true;
    this.isOwed = false;
    this.wake?.();
    this.owner?.onClosed();
  }

  /** The same when the reader has been given what is there. */
  settle(): void {
    if (this.closed) return;
    this.closed = this.isOwed = true;
    this.wake?.();
  }
}
