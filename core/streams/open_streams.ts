import type { ChunkSource } from "./chunk_source.ts";
import type { TaskStream } from "./task_stream.ts";
import type { StreamList } from "./stream_control.ts";
import { StreamControl } from "./stream_control.ts";

/** The streams of one engine that are being read; whoever closes the engine ends them all. */
export class OpenStreams implements StreamList {
  readonly #controls = new Set<StreamControl>();
  #isClosed = false;

  /** How many there are. */
  get size(): number {
    return this.#controls.size;
  }

  /**
   * Makes a stream of what is started, which says to its control when it is read first and when it
   * has ended.
   *
   * @param ended The reader came with the cursor of the end: there is nothing to send.
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
    // The engine closed while the task was looked up, or before anybody read.
    if (this.#isClosed) control.close();
  }

  delete(control: StreamControl): void {
    this.#controls.delete(control);
  }

  /** Ends them when they have given what is in memory, and those that are read first later at once. */
  close(): void {
    this.#isClosed = true;
    for (const control of this.#controls) control.settle();
  }
}
