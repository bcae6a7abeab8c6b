import { fstatSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

type Output = typeof process.stdout | typeof process.stderr;

/** A failure to write to an output. */
export class OutputError extends Error {
  /** Error code of the system: `EPIPE` if the reader is gone, `ENOSPC` if the disk is full. */
  readonly code: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(`the output cannot be written: ${cause.message}`, { cause });
    this.code = cause.code;
  }
}

/** The streams of a command: results go to `out`, remarks to `err`. */
export interface Terminal {
  /** Whether the error output is a terminal, read by people. */
  readonly isTty: boolean;
  /**
   * Writes to the output; resolves when there is room for more. Rejects with an
   * {@linkcode OutputError} if it cannot be written.
   */
  out(text: string | Uint8Array): Promise<void>;
  /** Writes to the error output in the same way. */
  err(text: string | Uint8Array): Promise<void>;
  /** Writes a line to the error output. A line that cannot be written is lost. */
  note(line: string): void;
  /** Colours a text for the error output, if that supports it. */
  paint(style: keyof typeof CODES, text: string): string;
  /** Colours a text for the output, if that supports it. */
  paintOut(style: keyof typeof CODES, text: string): string;
}

/** Returns the terminal of this process. Honours `NO_COLOR` and `FORCE_COLOR`. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const painter = ({ isTTY }: { isTTY?: boolean }) => {
    const wantsColor = env.FORCE_COLOR ? !["0", "false"].includes(env.FORCE_COLOR) : isTTY === true;
    const colored = wantsColor && !env.NO_COLOR;
    return (style: keyof typeof CODES, text: string) =>
      colored ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  };
  const out = writerTo(stdout);
  const err = writerTo(stderr);
  return {
    isTty: stderr.isTTY === true,
    out,
    err,
    note: (line) => void err(line + "\n").catch(() => {}),
    paint: painter(stderr),
    paintOut: painter(stdout),
  };
}

function writerTo(stream: Output): Terminal["out"] {
  // Errors reject the promise; without a listener the event would end the process.
  stream.on("error", () => {});
  const isPlain = isFile(stream);
  return (text) =>
    new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null) => error ? reject(new OutputError(error)) : resolve();
      if (!isPlain) return void stream.write(text, settle);
      // Written directly: on Deno the stream throws when a disk is full, and never writes again.
      try {
        let rest = typeof text === "string" ? Buffer.from(text) : text;
        while (rest.length > 0) rest = rest.subarray(writeSync(stream.fd, rest));
        settle();
      } catch (error) {
        settle(error as Error);
      }
    });
}

/** Returns whether an output is a file or a device, to which a write never waits for a reader. */
function isFile({ fd, isTTY }: Output): boolean {
  if (isTTY) return false;
  try {
    const stats = fstatSync(fd);
    return stats.isFile() || stats.isCharacterDevice();
  } catch {
    return false; // Closed before the process began.
  }
}

/** Escapes the control characters of a text, which a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
