import process from "node:process";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Where a command writes: what it is asked for to `out`, remarks about it to `err`. */
export interface Terminal {
  /** The error output is read by people. */
  readonly isTty: boolean;
  /**
   * Writes to the output as it is; resolves when there is room for more. Rejects when it cannot be
   * written, with the code `EPIPE` when whoever read it has gone.
   */
  out(text: string | Uint8Array): Promise<void>;
  /** The same to the error output. */
  err(text: string | Uint8Array): Promise<void>;
  /** Writes a line of remark to the error output. */
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
    const colored = !env.NO_COLOR && (Boolean(env.FORCE_COLOR) || isTTY === true);
    return (style: keyof typeof CODES, text: string) =>
      colored ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  };
  // Whoever writes is told by the promise; without a listener the event would end the process. A
  // remark that nobody can read is lost.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  const write = (stream: NodeJS.WriteStream, text: string | Uint8Array) =>
    new Promise<void>((resolve, reject) =>
      stream.write(text, (error) => error ? reject(error) : resolve())
    );
  return {
    isTty: stderr.isTTY === true,
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    note: (line) => void stderr.write(line + "\n"),
    paint: painter(stderr),
    paintOut: painter(stdout),
  };
}
