import type { ChildProcess, ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";

/** The end of a command. */
export interface Outcome {
  /** The exit code that a shell would report. */
  code: number;
  /** The command's own exit code; `undefined` if it did not exit by itself. */
  exitCode?: number;
  /** The signal that ended it. */
  signal?: string;
  /** Reason why it could not be started. */
  problem?: string;
}

/** Consumes output; the command waits until it resolves with whether to continue. */
export type OutputSink = (bytes: Uint8Array) => Promise<boolean>;

/** A running command. */
export interface Command {
  /** Resolves when the command has ended and its output is consumed. Rejects if a sink rejects. */
  outcome: Promise<Outcome>;
  /** Asks the command to end; kills it if it does not, or at the second call. */
  stop(signal: NodeJS.Signals): void;
}

// See https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html
const CODE_NOT_FOUND = 127;

/** Returns the exit code that a shell reports for a command ended by a signal. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Milliseconds that a command has to exit after the first signal. */
const STOP_MS = 10_000;

/**
 * Milliseconds to wait for the output of a stopped or killed command, whose own children may hold it
 * open.
 */
const OUTPUT_MS = 1_000;

/** Runs a command with the input of this process. */
export function runCommand(
  [file, ...args]: readonly [string, ...string[]],
  sinks: { stdout: OutputSink; stderr: OutputSink },
): Command {
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(file, args, { stdio: ["inherit", "pipe", "pipe"] });
  } catch (error) { // A name that no program can have.
    const { message } = error as Error;
    return { outcome: Promise.resolve(notStarted(file, message)), stop() {} };
  }
  let stopping = false;
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const exited = exitOf(child, file);
  let hasExited = false;
  void exited.then(() => hasExited = true);
  // Not with `child.kill()`: on Deno it does nothing the second time, whatever came of the first.
  const send = (signal: NodeJS.Signals) => {
    if (hasExited || child.pid === undefined) return;
    try {
      process.kill(child.pid, signal);
    } catch {
      // It just ended.
    }
  };
  const kill = () => send("SIGKILL");
  const copied = Promise.all([
    copy(child.stdout, sinks.stdout),
    copy(child.stderr, sinks.stderr),
  ]);
  const closeOutput = () => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  // Nobody consumes the output any more, so the command has no purpose.
  copied.catch(kill);

  const outcome = (async () => {
    const outcome = await exited;
    clearTimeout(killTimer);
    const isCutOff = stopping || outcome.signal !== undefined;
    const outputTimer = isCutOff ? setTimeout(closeOutput, OUTPUT_MS) : undefined;
    if (outcome.problem !== undefined) closeOutput();
    await copied;
    clearTimeout(outputTimer);
    return outcome;
  })();

  return {
    outcome,
    stop(signal) {
      if (stopping) return void kill();
      stopping = true;
      // At a terminal the command receives Ctrl-C itself; twice does no harm.
      send(signal);
      killTimer = setTimeout(kill, STOP_MS);
    },
  };
}

function notStarted(file: string, why: string): Outcome {
  return { code: CODE_NOT_FOUND, problem: `Cannot run "${file}": ${why}` };
}

function exitOf(child: ChildProcess, file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "it is not there" : error.message;
      resolve(notStarted(file, why));
    });
    child.on("exit", (exitCode, signal) => {
      if (signal === null) resolve({ code: exitCode ?? 1, exitCode: exitCode ?? undefined });
      else resolve({ code: exitCodeOf(signal), signal });
    });
  });
}

async function copy(source: Readable, sink: OutputSink): Promise<void> {
  try {
    for await (const bytes of source as AsyncIterable<Uint8Array>) {
      // Leaving the loop closes the pipe, so the command gets SIGPIPE as in any pipeline.
      if (!await sink(bytes)) break;
    }
  } catch (error) {
    // We closed it ourselves, or it was never there.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}
