/** Splits bytes into lines and leaves out empty ones. Holds no more than one line. */
export class LineSplitter {
  readonly #maxBytes: number;
  // Strict, since a lenient decoder would store something other than what was sent.
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** The problem of the line after those that were returned. No further lines follow. */
  problem?: "too long" | "not UTF-8";

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    while (this.problem === undefined) {
      const newline = chunk.indexOf(0x0a, start);
      const part = chunk.subarray(start, newline === -1 ? chunk.length : newline);
      this.#bytes += part.length;
      if (this.#bytes > this.#maxBytes) this.problem = "too long";
      if (this.#bytes > this.#maxBytes) break;
      if (newline === -1) {
        // Copied: the chunk's memory is reused.
        if (part.length > 0) this.#parts.push(part.slice());
        break;
      }
      if (part.length > 0) this.#parts.push(part);
      this.#flush(lines);
      start = newline + 1;
    }
    return lines;
  }

  /** Returns the last line, which needs no line break. */
  end(): string[] {
    const lines: string[] = [];
    if (this.problem === undefined) this.#flush(lines);
    return lines;
  }

  #flush(lines: string[]): void {
    try {
      const line = this.#decode();
      if (line.trim() !== "") lines.push(line);
    } catch {
      this.problem = "not UTF-8";
    }
    this.#parts = [];
    this.#bytes = 0;
  }

  #decode(): string {
    if (this.#parts.length === 1) return this.#decoder.decode(this.#parts[0]);
    let line = "";
    for (const part of this.#parts) line += this.#decoder.decode(part, { stream: true });
    return line + this.#decoder.decode();
  }
}
