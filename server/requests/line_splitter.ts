/** Cuts bytes into lines; empty ones are left out. Holds no more than one line. */
export class LineSplitter {
  readonly #maxBytes: number;
  // Strict, since what is not UTF-8 would be stored as something else than what was sent.
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Fault of the line after those returned, which ends the splitting. */
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
        // A copy: the chunk's memory is used again.
        if (part.length > 0) this.#parts.push(part.slice());
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
