import { until } from "../sse/sse.ts";

const ROOT = new URL("../../", import.meta.url);

/** A `taskcast` process. */
export interface CliProcess {
  readonly pid: number;
  /** Text written so far. */
  readonly out: string;
  readonly err: string;
  /** Returns the bytes written to standard output. */
  outBytes(): Uint8Array;
  kill(signal: Deno.Signal): void;
  /** Resolves with the exit code. */
  ended: Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server in a process of its own. */
export interface CliServer {
  url: string;
  process: CliProcess;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The command `taskcast`: from source on Deno, or `TASKCAST_TEST_COMMAND`, a JSON list of words. So
 * the same tests cover installations from npm, on other runtimes.
 */
export const COMMAND: CommandWords = JSON.parse(
  Deno.env.get("TASKCAST_TEST_COMMAND") ?? "null",
) ?? [Deno.execPath(), "run", "-A", "--quiet", new URL("cli/mod.ts", ROOT).pathname];

/** Set if the command runs on a runtime other than Deno. */
export const ELSEWHERE: boolean = Deno.env.has("TASKCAST_TEST_COMMAND");

/** A program and its first arguments. */
export type CommandWords = readonly [string, ...string[]];

/** Starts `taskcast` with these arguments. */
export function cli(
  args: string[],
  env: Record<string, string> = {},
  folder: string | URL = ROOT,
  [program, ...words]: CommandWords = COMMAND,
): CliProcess {
  const child = new Deno.Command(program, {
    args: [...words, ...args],
    cwd: folder,
    // There is no terminal here, but the log should look as it does in one.
    env: { NO_COLOR: "1", TASKCAST_LOG_FORMAT: "pretty", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: Uint8Array[] = [];
  const written = { out: "", err: "" };
  const readOut = async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) {
      chunks.push(bytes);
      written.out += decoder.decode(bytes, { stream: true });
    }
  };
  const readErr = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      written.err += text;
    }
  };
  let hasEnded = false;
  const ended = Promise.all([child.status, readOut(), readErr()]).then(([{ code }]) => {
    hasEnded = true;
    return code;
  });
  return {
    pid: child.pid,
    get out() {
      return written.out;
    },
    get err() {
      return written.err;
    },
    outBytes: () => joined(chunks),
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill("SIGKILL");
      await ended;
    },
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Runs `taskcast` until it exits. */
export async function runCli(
  args: string[],
  env?: Record<string, string>,
  folder?: string,
): Promise<{ code: number; out: string; err: string }> {
  const process = cli(args, env, folder);
  const code = await process.ended;
  return { code, out: process.out, err: process.err };
}

/** Starts a server as users do, on a free port, and waits until it prints its address. */
export async function startCli(
  args: string[] = [],
  env: Record<string, string> = {},
  folder?: string,
  command?: CommandWords,
): Promise<CliServer> {
  const process = cli(args, { TASKCAST_PORT: "0", ...env }, folder, command);
  const listening = () => /listens on (http:\S+)/.exec(process.err)?.[1];
  let ended = false;
  void process.ended.then(() => ended = true);
  await until(() => listening() !== undefined || ended, "the server has started");
  if (listening() === undefined) throw new Error(`The server ended: ${process.err}`);
  return { url: listening()!, process, [Symbol.asyncDispose]: process[Symbol.asyncDispose] };
}
