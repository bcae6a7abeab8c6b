import type { TaskStream } from "./options.ts";
import { StreamControl } from "./stream_control.ts";

/** The streams of one engine that are being read; whoever closes the engine ends them all. */
export class OpenStreams {
  readonly #controls = new Set<StreamControl>();

  /** How many there are. */
  get size(): number {
    return this.#controls.size;
  }

  /**
   * Makes a stream of what is started. It counts as open from its first read until its end.
   *
   * @param ended The reader came with the cursor of the end: there is nothing to send.
   */
  open<Chunk>(
    ended: boolean,
    start: (control: StreamControl) => AsyncGenerator<Chunk, void>,
  ): TaskStream<Chunk> {
    const control = new StreamControl();
    const chunks = this.#tracked(control, start(control));
    return { ended, chunks, close: () => control.close() };
  }

  /** Ends them at their next step. */
  close(): void {
    for (const control of this.#controls) control.close();
  }

  async *#tracked<Chunk>(
    control: StreamControl,
    chunks: AsyncGenerator<Chunk, void>,
  ): AsyncGenerator<Chunk, void> {
    this.#controls.add(control);
    try {
      yield* chunks;
    } finally {
      this.#controls.delete(control);
    }
  }
}
