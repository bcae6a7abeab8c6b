import type { Socket } from "node:net";
import type { ServerResponse } from "node:http";
import type { ChunkSource, ReadRequest } from "@taskcast/core/internal";
import { Buffer } from "node:buffer";

/**
 * Answers with a stream, writing each chunk to the socket as soon as it comes, and asking for the next
 * as soon as the socket takes it.
 *
 * The way through a web stream and `response.write()` works as well, but for each chunk and reader it
 * makes two promises and three buffers: half as much again, see benchmarks/README.md.
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
  // Answers that wait for earlier ones of their connection are not told that it closes; requests are.
  if (outgoing.socket === null) outgoing.req.once("close", cancel);
  if (outgoing.destroyed || outgoing.req.destroyed) cancel();
  else stream.read(new ResponseWriter(stream, outgoing));
}

class ResponseWriter implements ReadRequest<Uint8Array> {
  readonly #stream: ChunkSource<Uint8Array>;
  readonly #outgoing: ServerResponse;
  /** Where frames go; none while answers to earlier requests of the connection go before, or of HTTP/1.0. */
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

  /** Cuts the connection; the client goes on from its cursor. */
  onError(): void {
    this.#outgoing.destroy();
  }
}

/** Above this a copy would cost more than it saves. */
const MAX_FRAMED_BYTES = 16 * 1024;

let newest: { chunk: Uint8Array; frame: Uint8Array } | undefined;

/** A chunk as HTTP/1.1 frames it (RFC 9112, 7.1): made once for all sockets that get it now. */
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
