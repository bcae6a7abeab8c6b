const CR = 13;
const LF = 10;
const SPACE = 32;
const SEMICOLON = 59;

/**
 * Removes the framing of a chunked HTTP body (RFC 9112, section 7.1) as it arrives.
 * Copies nothing: `onData` gets views of the bytes that were pushed.
 */
export class ChunkedBody {
  readonly #onData: (bytes: Uint8Array) => void;
  /** Bytes of the current chunk that have not arrived. */
  #left = 0;
  #size = 0;
  #state: "size" | "extension" | "data" | "after data" | "trailer" | "ended" = "size";

  constructor(onData: (bytes: Uint8Array) => void) {
    this.#onData = onData;
  }

  /** True once the last chunk has arrived. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        this.#onData(bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#state = "after data";
        continue;
      }
      const byte = bytes[at++]!;
      if (this.#state === "after data") {
        if (byte === LF) this.#state = "size";
      } else if (byte === LF) {
        this.#endOfLine();
      } else if (this.#state === "size") {
        if (byte === SEMICOLON || byte === SPACE) this.#state = "extension";
        else if (byte !== CR) this.#size = 16 * this.#size + digitOf(byte);
      }
    }
  }

  #endOfLine(): void {
    if (this.#state === "trailer") {
      this.#state = "ended";
      return;
    }
    this.#left = this.#size;
    this.#state = this.#size === 0 ? "trailer" : "data";
    this.#size = 0;
  }
}

function digitOf(byte: number): number {
  const digit = byte <= 57 ? byte - 48 : (byte | 32) - 87;
  if (digit < 0 || digit > 15) throw new Error(`not the size of a chunk: ${byte}`);
  return digit;
}
