/** How the one who reads a stream stops it, also while it waits. */
export class StreamControl {
  /** The reader is gone, or the engine closes. */
  closed = false;
  /** Ends the present wait. */
  wake?: () => void;

  /** Ends the stream at its next step, and the present wait at once. Safe to call twice. */
  close(): void {
    this.closed = true;
    this.wake?.();
  }
}
