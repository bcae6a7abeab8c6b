const encoder = new TextEncoder();

/**
 * Bare streams: every chunk is encoded once and queued for each reader, however slow it is. Frames
 * have the same parts and about the same size as those of Taskcast.
 */
export class FrameHub {
  readonly #readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #next = 0;

  open(): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#readers.add(own = controller);
        controller.enqueue(encoder.encode("retry: 1000\n: connected\n\n"));
      },
      cancel: () => void this.#readers.delete(own),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  publish(events: readonly unknown[]): void {
    const frames = events.map((event) => this.#frame(event as Record<string, unknown>));
    const chunk = encoder.encode(frames.join(""));
    for (const reader of this.#readers) reader.enqueue(chunk);
  }

  /** Ends all streams; the next ones count from 0. */
  end(): void {
    const end = encoder.encode('event: taskcast.done\ndata: {"reason":"completed"}\n\n');
    for (const reader of this.#readers) {
      reader.enqueue(end);
      reader.close();
    }
    this.#readers.clear();
    this.#next = 0;
  }

  #frame({ type, data }: Record<string, unknown>): string {
    const index = this.#next++;
    const id = "01KB0000000000000000000000";
    return "event: taskcast.event\n" +
      `data: {"filteredIndex":${index},"rawIndex":${index},"eventId":"${id}","taskId":"${id}",` +
      `"type":"${type}","timestamp":${Date.now()},"level":"info","data":${
        JSON.stringify(data)
      }}\nid: c2.12345678.${index}\n\n`;
  }
}
