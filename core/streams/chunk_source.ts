/**
 * One chunk that somebody asked a {@linkcode ChunkSource} for. Exactly one of its methods is called,
 * once, and may ask for the next chunk before it returns. None of them may throw.
 *
 * Not a promise: of many readers most wait for most of their time, and of each promise the runtime
 * keeps what it needs to go on. The Streams standard calls the same a read request
 * (https://streams.spec.whatwg.org/#read-request).
 */
export interface ReadRequest<Chunk> {
  /** The next chunk. */
  onChunk(chunk: Chunk): void;
  /** There is none any more. */
  onEnd(): void;
  /** It could not be read, and nor can what would come after it. */
  onError(error: unknown): void;
}

/** Gives chunks one by one, each when it is asked for. */
export interface ChunkSource<Chunk> {
  /**
   * Asks for the next chunk, which may come before this returns. Not to be called again before the
   * request was answered.
   */
  read(request: ReadRequest<Chunk>): void;
  /** Gives up what is held. Once this has resolved, a chunk that is waited for does not come any more. */
  cancel(): Promise<void>;
}

/** The next chunk of a source, as an iterator would give it. */
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
 * What a generator yields.
 *
 * @param options.close Ends a wait of the generator.
 * @param options.report Told of a reader that throws, which must not be. It is given up then: nobody
 * else could say that it will get nothing any more.
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
