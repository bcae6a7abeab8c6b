import { ChunkedBody } from "./chunked_body.ts";
import type { Faults } from "./frame_check.ts";
import { FrameCheck } from "./frame_check.ts";

/** A reader of a stream. */
export interface SseReader {
  /** The stream has been answered, and its first bytes have come. */
  opened: Promise<void>;
  /** The stream has ended. */
  ended: Promise<void>;
  /** Bytes of the body so far. */
  readonly bytes: number;
  readonly events: number;
  readonly faults: Faults;
  /** Whether the end of the task was told. */
  readonly done: boolean;
  close(): void;
}

export interface SseReaderOptions {
  /** Told of the line with an event's data. */
  onEvent?: (line: Uint8Array, index: number) => void;
  /** Of so many events only the last is told of, by their numbers. @default {1} */
  every?: number;
  /** The number of the event that comes first. @default {0} */
  first?: number;
  /** @default {65536} */
  bufferBytes?: number;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Follows a stream over a socket of its own. `fetch` and an SSE parser would make the client the
 * slower side: what is read here is looked at where it lies.
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
      // It is closed already.
    }
  };
  ended.then(() => opened.resolve(), opened.reject);
  ended.catch(() => {}); // Whoever waits for it is told.
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
 * Opens so many readers, not all at once, and waits until each has had its first bytes.
 *
 * @param options.tookMs What that took for each is added to it.
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
      // Whoever waits for all of them is told of those that fail.
      reader.opened.then(() => tookMs?.push(performance.now() - startedMs), () => {});
      return reader;
    });
    await Promise.all(some.map(({ opened }) => opened));
    readers.push(...some);
  }
  return readers;
}

/** The faults of all of them. */
export function faultsOf(readers: readonly { faults: Faults }[]): Faults {
  const sum = { missing: 0, doubled: 0, outOfOrder: 0 };
  for (const { faults } of readers) {
    sum.missing += faults.missing;
    sum.doubled += faults.doubled;
    sum.outOfOrder += faults.outOfOrder;
  }
  return sum;
}
