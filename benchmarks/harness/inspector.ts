/** Connection to the V8 inspector of another process, which reports its heap. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, PromiseWithResolvers<Record<string, number>>>();
  #onChunk: (chunk: string) => void = () => {};
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, method, params, result } = JSON.parse(data);
      if (method === "HeapProfiler.addHeapSnapshotChunk") this.#onChunk(params.chunk);
      this.#calls.get(id)?.resolve(result);
    };
    socket.onclose = () => {
      for (const { reject } of this.#calls.values()) reject(new Error("The inspector is gone"));
    };
  }

  /**
   * Connects to an inspector.
   *
   * @param url Its `ws:` address, which `deno run --inspect` prints.
   */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise<unknown>((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Inspector(socket);
  }

  /** Collects garbage and returns the bytes of heap in use. */
  async usedHeapBytes(): Promise<number> {
    await this.#call("HeapProfiler.collectGarbage");
    const { usedSize } = await this.#call("Runtime.getHeapUsage");
    return usedSize!;
  }

  /** Writes a heap snapshot for the Memory tab of Chrome's DevTools. */
  async writeSnapshot(file: string): Promise<void> {
    const chunks: string[] = [];
    this.#onChunk = (chunk) => chunks.push(chunk);
    await this.#call("HeapProfiler.takeHeapSnapshot");
    await Deno.writeTextFile(file, ReadableStream.from(chunks));
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string): Promise<Record<string, number>> {
    const id = this.#next++;
    const call = Promise.withResolvers<Record<string, number>>();
    this.#calls.set(id, call);
    this.#socket.send(JSON.stringify({ id, method }));
    try {
      return await call.promise;
    } finally {
      this.#calls.delete(id);
    }
  }
}
