import type { Publisher } from "@taskcast/server-sdk";

/** Publishes one output of a command as an accumulate series of that name. */
export class OutputPublisher {
  readonly #publisher: Publisher;
  readonly #name: "stdout" | "stderr";
  // Keeps the text unchanged: characters that are split between chunks, and a byte order mark.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(publisher: Publisher, name: "stdout" | "stderr") {
    this.#publisher = publisher;
    this.#name = name;
  }

  /** Resolves when there is room for more. Does nothing once the task has ended elsewhere. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#publish(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Publishes the rest of an incomplete character. */
  async close(): Promise<void> {
    await this.#publish(this.#decoder.decode());
  }

  async #publish(delta: string): Promise<void> {
    const { signal } = this.#publisher;
    if (delta === "" || signal.aborted) return;
    const series = { seriesId: this.#name, seriesMode: "accumulate" } as const;
    try {
      await this.#publisher.publish({ type: `process.${this.#name}`, data: { delta }, ...series });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
