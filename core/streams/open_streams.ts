import type { ChunkSource } from "./chunk_source.ts";
import type { TaskStream } from "./task_stream.ts";
import type { StreamList } from "./stream_control.ts";
import { StreamControl } from "./stream_control.ts";

/** The streams of one engine that are being read. */
export class OpenStreams implements StreamList {
  readonly #controls = new Set<StreamControl>();
  #isClosed = false;

  /** Number of streams. */
  get size(): number {
    return this.#controls.size;
  }

  /**
   * Opens a stream. Its source tells the control when it is first read and when it has ended.
   *
   * @param ended Whether the reader has everything, the end included, so that there is nothing to send.
   */
  open<Chunk>(
    ended: boolean,
    start: (control: StreamControl) => ChunkSource<Chunk>,
  ): TaskStream<Chunk> {
    const control = new StreamControl(this);
    return { ended, chunks: start(control), close: () => control.close() };
  }

  add(control: StreamControl): void {
    this.#controls.add(control);
    // The engine may have closed while the task was looked up, or before the first read.
    if (this.#isClosed) control.close();
  }

  delete(control: StreamControl): void {
    this.#controls.delete(control);
  }

  /** Ends each stream once it has sent what is in memory. Streams first read later end at once. */
  drain(): void {
    this.#isClosed = true;
    for (const control of this.#controls) control.drain();
  }
}
