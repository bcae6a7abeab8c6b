import { fstatSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

type Output = typeof process.stdout | typeof process.stderr;

/** An output cannot be written. */
export class OutputError extends Error {
  /** The system's name of why: `EPIPE` when whoever read it has gone, `ENOSPC` on a full disk. */
  readonly code: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(`the output cannot be written: ${cause.message}`, { cause });
    this.code = cause.code;
  }
}

/** Where a command writes: what it is asked for to `out`, remarks about it to `err`. */
export interface Terminal {
  /** The error output is read by people. */
  readonly isTty: boolean;
  /**
   * Writes to the output as it is; resolves when there is room for more. Rejects with an
   * {@linkcode OutputError} when it cannot be written.
   */
  out(text: string | Uint8Array): Promise<void>;
  /** The same to the error output. */
  err(text: string | Uint8Array): Promise<void>;
  /** Writes a line of remark to the error output. One that cannot be written is lost. */
  note(line: string): void;
  /** Colours a remark, if the error output is a terminal that wants colours. */
  paint(style: keyof typeof CODES, text: string): string;
  /** Colours what goes to the output, if that is a terminal that wants colours. */
  paintOut(style: keyof typeof CODES, text: string): string;
}

/** The terminal of this process. Honours `NO_COLOR` and `FORCE_COLOR`. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const painter = ({ isTTY }: { isTTY?: boolean }) => {
    const wanted = env.FORCE_COLOR ? !["0", "false"].includes(env.FORCE_COLOR) : isTTY === true;
    const colored = wanted && !env.NO_COLOR;
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
  // The promise tells of errors; without a listener the event would end the process.
  stream.on("error", () => {});
  const isPlain = isFile(stream);
  return (text) =>
    new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null) => error ? reject(new OutputError(error)) : resolve();
      if (!isPlain) return void stream.write(text, settle);
      // Not the stream: on Deno it throws when a disk is full, and never writes again.
      try {
        let rest = typeof text === "string" ? Buffer.from(text) : text;
        while (rest.length > 0) rest = rest.subarray(writeSync(stream.fd, rest));
        settle();
      } catch (error) {
        settle(error as Error);
      }
    });
}

/** A file or a device: writing does not wait for a reader, unlike with pipes and terminals. */
function isFile({ fd, isTTY }: Output): boolean {
  if (isTTY) return false;
  try {
    const stats = fstatSync(fd);
    return stats.isFile() || stats.isCharacterDevice();
  } catch {
    return false; // It was closed before the process began.
  }
}
