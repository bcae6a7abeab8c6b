/** Cuts bytes into lines; empty ones are left out. Holds no more than one line. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: false });
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** A line is longer than allowed; nothing after it is given out. */
  overflow = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    while (!this.overflow) {
      const newline = chunk.indexOf(0x0a, start);
      const part = chunk.subarray(start, newline === -1 ? chunk.length : newline);
      this.#bytes += part.length;
      if (this.#bytes > this.#maxBytes) this.overflow = true;
      if (newline === -1 || this.overflow) {
        // A copy: the chunk's memory is used again.
        if (part.length > 0 && !this.overflow) this.#parts.push(part.slice());
        break;
      }
      if (part.length > 0) this.#parts.push(part);
      this.#flush(lines);
      start = newline + 1;
    }
    return lines;
  }

  /** The last line, which needs no line break. */
  end(): string[] {
    const lines: string[] = [];
    if (!this.overflow) this.#flush(lines);
    return lines;
  }

  #flush(lines: string[]): void {
    let line = "";
    if (this.#parts.length === 1) line = this.#decoder.decode(this.#parts[0]);
    else if (this.#parts.length > 1) {
      for (const part of this.#parts) line += this.#decoder.decode(part, { stream: true });
      line += this.#decoder.decode();
    }
    this.#parts = [];
    this.#bytes = 0;
    if (line.trim() !== "") lines.push(line);
  }
}
