import type { Socket } from "node:net";
import type { ServerResponse } from "node:http";
import type { ChunkSource, ReadRequest } from "@taskcast/core/internal";
import { Buffer } from "node:buffer";

/**
 * Writes a stream as a response: each chunk goes to the socket at once, and the next is requested as
 * soon as the socket accepts it.
 *
 * A web stream with `response.write()` would also work, but creates two promises and three buffers for
 * each chunk and reader, which costs half as much again (benchmarks/README.md).
 */
export function writeEventStream(
  stream: ChunkSource<Uint8Array>,
  { status, headers }: Response,
  outgoing: ServerResponse,
): void {
  outgoing.writeHead(status, Object.fromEntries(headers));
  outgoing.flushHeaders();
  outgoing.on("error", () => {}); // "close" follows.
  const cancel = () => void stream.cancel();
  outgoing.on("close", cancel);
  // A response queued behind earlier ones is not told that its connection closes; its request is.
  if (outgoing.socket === null) outgoing.req.once("close", cancel);
  if (outgoing.destroyed || outgoing.req.destroyed) cancel();
  else stream.read(new ResponseWriter(stream, outgoing));
}

class ResponseWriter implements ReadRequest<Uint8Array> {
  readonly #stream: ChunkSource<Uint8Array>;
  readonly #outgoing: ServerResponse;
  /** Destination of frames; none for HTTP/1.0, and while earlier responses of the connection are due. */
  readonly #socket: Socket | null;

  constructor(stream: ChunkSource<Uint8Array>, outgoing: ServerResponse) {
    this.#stream = stream;
    this.#outgoing = outgoing;
    this.#socket = outgoing.chunkedEncoding ? outgoing.socket : null;
  }

  onChunk(chunk: Uint8Array): void {
    const socket = this.#socket;
    const takesMore = socket === null || chunk.length > MAX_FRAMED_BYTES
      ? this.#outgoing.write(chunk)
      : socket.write(frameOf(chunk));
    if (takesMore) return this.#stream.read(this);
    (socket ?? this.#outgoing).once("drain", () => this.#stream.read(this));
  }

  onEnd(): void {
    this.#outgoing.end();
  }

  /** Cuts the connection; the client resumes from its cursor. */
  onError(): void {
    this.#outgoing.destroy();
  }
}

/** Largest chunk to copy; above it a copy costs more than it saves. */
const MAX_FRAMED_BYTES = 16 * 1024;

let newest: { chunk: Uint8Array; frame: Uint8Array } | undefined;

/** Returns a chunk framed for HTTP/1.1 (RFC 9112, 7.1), created once for all sockets that get it now. */
function frameOf(chunk: Uint8Array): Uint8Array {
  if (newest?.chunk === chunk) return newest.frame;
  const head = `${chunk.length.toString(16)}\r\n`;
  const frame = Buffer.allocUnsafe(head.length + chunk.length + 2);
  frame.write(head, "latin1");
  frame.set(chunk, head.length);
  frame.write("\r\n", head.length + chunk.length, "latin1");
  newest = { chunk, frame };
  return frame;
}
