/** A request's body that the test writes, and that stays open until it is closed. */
export interface OpenBody {
  body: ReadableStream<Uint8Array>;
  write(text: string): Promise<void>;
  writeBytes(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export function openBody(): OpenBody {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const utf8 = new TextEncoder();
  return {
    body: readable,
    write: (text) => writer.write(utf8.encode(text)),
    writeBytes: (bytes) => writer.write(bytes),
    close: () => writer.close(),
  };
}
