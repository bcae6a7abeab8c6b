/**
 * A request for the next chunk of a {@linkcode ChunkSource}. Exactly one of its methods is called, once;
 * that call may request the next chunk before it returns. None of them may throw.
 *
 * It is not a promise, because most readers spend most of their time waiting and a pending promise keeps
 * the state of its continuation in memory. The Streams standard has the same concept
 * (https://streams.spec.whatwg.org/#read-request).
 */
export interface ReadRequest<Chunk> {
  /** Receives the next chunk. */
  onChunk(chunk: Chunk): void;
  /** Reports the end of the source. */
  onEnd(): void;
  /** Reports that the source failed. No further chunk can be read. */
  onError(error: unknown): void;
}

/** Delivers chunks one at a time, on request. */
export interface ChunkSource<Chunk> {
  /**
   * Requests the next chunk, which may be delivered before this returns. Must not be called again before
   * the request has been answered.
   */
  read(request: ReadRequest<Chunk>): void;
  /** Releases resources. A pending request is not answered any more once this has resolved. */
  cancel(): Promise<void>;
}

/** Returns the next chunk of a source as an iterator result. */
export function nextChunk<Chunk>(source: ChunkSource<Chunk>): Promise<IteratorResult<Chunk, void>> {
  return new Promise((resolve, reject) =>
    source.read({
      onChunk: (value) => resolve({ value, done: false }),
      onEnd: () => resolve({ value: undefined, done: true }),
      onError: reject,
    })
  );
}

/**
 * Returns the values of a generator as a chunk source.
 *
 * @param options.close Ends a wait of the generator.
 * @param options.report Receives the error of a request that throws, although it must not. The source is
 * cancelled then, because the request cannot be answered a second time.
 */
export function chunksOf<Chunk>(
  generator: AsyncGenerator<Chunk, void>,
  { close, report }: { close: () => void; report: (error: unknown) => void },
): ChunkSource<Chunk> {
  async function cancel(): Promise<void> {
    close();
    await generator.return();
  }
  return {
    read(request) {
      generator.next().then(
        ({ value, done }) => done ? request.onEnd() : request.onChunk(value as Chunk),
        (error) => request.onError(error),
      ).catch((error) => {
        report(error);
        return cancel();
      }).catch(report);
    },
    cancel,
  };
}
