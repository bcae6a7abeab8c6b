/** Wakes a waiting reader, because there is more to read, the task ended, or a heartbeat is due. */
export type Wake = (reason?: "heartbeat") => void;

/** A list of the streams that are being read. */
export interface StreamList {
  /** Adds a stream. It is closed at once if the list has been drained. */
  add(control: StreamControl): void;
  /** Removes a stream. */
  delete(control: StreamControl): void;
}

/** Stops a stream from outside, even while it waits. */
export class StreamControl {
  /** Set once the consumer or the engine has closed the stream. */
  closed = false;
  /** Set while the engine closes: the reader still gets what is in memory, and nothing more. */
  isDraining = false;
  /** Notified of a close, because there may be no pending wait that would notice it. */
  owner?: { onClosed(): void } = undefined;
  /** Ends the current wait. */
  wake?: Wake;
  /** Set while the reader waits in a {@linkcode ReaderList}. */
  isWaiting = false;
  /** The reader's arrival number in that list, from 1. */
  arrival?: number = undefined;
  readonly #list: StreamList;

  /** @param list Contains the control from the first read of the stream until its end. */
  constructor(list: StreamList) {
    this.#list = list;
  }

  /** Adds the stream to the list at its first read. */
  markStarted(): void {
    this.#list.add(this);
  }

  /** Removes the stream from the list. */
  markEnded(): void {
    this.#list.delete(this);
  }

  /** Ends the stream at its next step, and the current wait at once. Safe to call twice. */
  close(): void {
    this.closed = true;
    this.isDraining = false;
    this.wake?.();
    this.owner?.onClosed();
  }

  /** Ends the stream once the reader has received what is in memory. */
  drain(): void {
    if (this.closed) return;
    this.closed = this.isDraining = true;
    this.wake?.();
  }
}
