import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Publisher } from "@taskcast/server-sdk";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { onStopSignal } from "../listen.ts";
import type { Terminal } from "../terminal.ts";

/** What `taskcast run` is told. */
export interface RunOptions {
  /** The server. */
  url: string;
  /** The task's type. */
  type: string;
  token?: string;
  /** The command and its arguments. */
  command: readonly [string, ...string[]];
}

/** How the command ended. */
interface Outcome {
  exitCode?: number;
  signal?: string;
  /** Why it could not even be started. */
  problem?: string;
}

const EXIT_NOT_FOUND = 127;
const EXIT_SIGINT = 130;

/**
 * `taskcast run`: runs a command as a task. What it writes is shown as usual and is the task's
 * `stdout` and `stderr` series; how it exits is how the task ends.
 *
 * @returns The command's own exit code.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const { url, type, token, command } = options;
  const client = new TaskcastServerClient({ baseUrl: url, token, retry: { attempts: 3 } });
  const task = await client.createTask({ type, params: { command: [...command] } });
  terminal.note(
    terminal.paint("dim", `taskcast: task ${task.id} is followed at `) +
      terminal.paint("cyan", `${url}/tasks/${task.id}/events`),
  );
  await client.transitionTask(task.id, "running");
  const publisher = client.openPublisher(task.id);
  const startedMs = Date.now();

  const [file, ...args] = command;
  const child = spawn(file, args, { stdio: ["inherit", "pipe", "pipe"] });
  let cancelled = false;
  const removeHandlers = onStopSignal((signal) => {
    cancelled = true;
    // At a terminal the command gets Ctrl-C by itself; twice does no harm.
    child.kill(signal);
  });
  // Ended from elsewhere: nobody wants the rest.
  publisher.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });

  const outcome = await Promise.all([
    outcomeOf(child),
    copy(child.stdout, "stdout", publisher, (bytes) => terminal.out(bytes)),
    copy(child.stderr, "stderr", publisher, (bytes) => terminal.err(bytes)),
  ]).then(([outcome]) => outcome);
  removeHandlers();

  const durationMs = Date.now() - startedMs;
  const code = outcome.problem !== undefined ? EXIT_NOT_FOUND : outcome.exitCode ?? EXIT_SIGINT;
  try {
    await publisher.close();
    await end(client, task.id, outcome, { cancelled, durationMs });
  } catch (error) {
    terminal.note(`${terminal.paint("red", "error")}: taskcast: ${(error as Error).message}`);
    return code === 0 ? 1 : code;
  }
  if (outcome.problem !== undefined) {
    terminal.note(`${terminal.paint("red", "error")}: cannot run "${file}": ${outcome.problem}`);
  }
  return cancelled ? EXIT_SIGINT : code;
}

async function end(
  client: TaskcastServerClient,
  taskId: string,
  { exitCode, signal, problem }: Outcome,
  { cancelled, durationMs }: { cancelled: boolean; durationMs: number },
): Promise<void> {
  const result = { exitCode, signal, durationMs };
  if (cancelled) {
    await client.transitionTask(taskId, "cancelled", { result, reason: "interrupted" });
  } else if (exitCode === 0) {
    await client.transitionTask(taskId, "completed", { result });
  } else {
    const [code, message] = problem !== undefined
      ? ["NOT_STARTED", `The command could not be started: ${problem}`]
      : signal !== undefined
      ? ["SIGNAL", `The command was ended by ${signal}`]
      : ["EXIT_CODE", `The command exited with code ${exitCode}`];
    await client.transitionTask(taskId, "failed", { result, error: { code, message } });
  }
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ problem: error.message }));
    child.on(
      "close",
      (code, signal) => resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }),
    );
  });
}

/** Shows what a command writes and publishes it, as fast as both go. */
async function copy(
  source: Readable,
  name: "stdout" | "stderr",
  publisher: Publisher,
  show: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  // Kept as it is: neither is a character that is cut at a chunk's border mangled, nor a byte
  // order mark swallowed.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const publish = async (delta: string) => {
    if (delta === "" || publisher.signal.aborted) return;
    const series = { seriesId: name, seriesMode: "accumulate" } as const;
    await publisher.publish({ type: `process.${name}`, data: { delta }, ...series })
      .catch((error) => {
        if (!publisher.signal.aborted) throw error;
      });
  };
  for await (const bytes of source as AsyncIterable<Uint8Array>) {
    await Promise.all([show(bytes), publish(decoder.decode(bytes, { stream: true }))]);
  }
  await publish(decoder.decode());
}
