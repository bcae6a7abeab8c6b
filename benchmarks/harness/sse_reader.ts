import { ChunkedBody } from "./chunked_body.ts";
import type { Faults } from "./frame_check.ts";
import { FrameCheck } from "./frame_check.ts";

/** A reader of a stream. */
export interface SseReader {
  /** Resolves with the first bytes of the body. */
  opened: Promise<void>;
  /** Resolves when the stream ends; rejects if it is cut off. */
  ended: Promise<void>;
  /** Bytes of the body received so far. */
  readonly bytes: number;
  readonly events: number;
  readonly faults: Faults;
  /** True once the end of the task was received. */
  readonly done: boolean;
  close(): void;
}

export interface SseReaderOptions {
  /** Called with the data line of an event. */
  onEvent?: (line: Uint8Array, index: number) => void;
  /** Events for each call of `onEvent`, by their numbers. @default {1} */
  every?: number;
  /** Number of the first event. @default {0} */
  first?: number;
  /** Size of the read buffer. @default {65536} */
  bufferBytes?: number;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Follows a stream over a socket of its own and examines the bytes in place. With `fetch` and an
 * SSE parser the client would be the bottleneck.
 */
export function readSse(url: string, options: SseReaderOptions = {}): SseReader {
  const { onEvent, every, first = 0, bufferBytes = 64 * 1024, headers = {} } = options;
  const check = new FrameCheck(first, onEvent, every);
  const opened = Promise.withResolvers<void>();
  let connection: Deno.TcpConn | undefined;
  let bytes = 0;
  let closed = false;

  const read = async () => {
    const { hostname, port, pathname, search } = new URL(url);
    connection = await Deno.connect({ hostname, port: Number(port || 80) });
    if (closed) return connection.close();
    const lines = [
      `GET ${pathname}${search} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      "accept: text/event-stream, application/json",
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
    const body = new ChunkedBody((part) => {
      bytes += part.length;
      check.push(part);
      opened.resolve();
    });
    const buffer = new Uint8Array(bufferBytes);
    let head = "";
    while (!body.ended) {
      const length = await connection.read(buffer);
      if (length === null) throw new Error(`${url} was cut off`);
      let part = buffer.subarray(0, length);
      if (head !== "read") {
        head += new TextDecoder("latin1").decode(part);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) continue;
        if (!/^HTTP\/1.1 200 [^]*\r\ntransfer-encoding: chunked/i.test(head)) {
          throw new Error(`${url} answered ${head.slice(0, 300)}`);
        }
        part = part.subarray(part.length - (head.length - end - 4));
        head = "read";
      }
      body.push(part);
    }
  };
  const ended = read()
    .catch((error) => {
      if (!closed) throw error;
    })
    .finally(() => connection && close());
  const close = () => {
    closed = true;
    try {
      connection?.close();
    } catch {
      // Already closed.
    }
  };
  ended.then(() => opened.resolve(), opened.reject);
  ended.catch(() => {}); // Callers that await it get the error.
  return {
    opened: opened.promise,
    ended,
    get bytes() {
      return bytes;
    },
    get events() {
      return check.events;
    },
    get done() {
      return check.done;
    },
    faults: check.faults,
    close,
  };
}

/**
 * Opens readers, 200 at a time, and waits for the first bytes of each.
 *
 * @param options.tookMs Gets the milliseconds that each took.
 */
export async function openReaders(
  count: number,
  url: (i: number) => string,
  { tookMs, ...options }: SseReaderOptions & { tookMs?: number[] } = {},
): Promise<SseReader[]> {
  const readers: SseReader[] = [];
  while (readers.length < count) {
    const length = Math.min(200, count - readers.length);
    const startedMs = performance.now();
    const some = Array.from({ length }, (_, i) => {
      const reader = readSse(url(readers.length + i), options);
      // The wait for all of them reports failures.
      reader.opened.then(() => tookMs?.push(performance.now() - startedMs), () => {});
      return reader;
    });
    await Promise.all(some.map(({ opened }) => opened));
    readers.push(...some);
  }
  return readers;
}

/** Returns the sums of the readers' faults. */
export function faultsOf(readers: readonly { faults: Faults }[]): Faults {
  const sum = { missing: 0, doubled: 0, outOfOrder: 0 };
  for (const { faults } of readers) {
    sum.missing += faults.missing;
    sum.doubled += faults.doubled;
    sum.outOfOrder += faults.outOfOrder;
  }
  return sum;
}
