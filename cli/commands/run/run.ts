import { TaskcastError } from "@taskcast/core/protocol";
import type { LeaseKeeper, Publisher } from "@taskcast/server-sdk";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { OutputError, Terminal } from "../../command_line/terminal.ts";
import { printable } from "../../command_line/terminal.ts";
import type { Outcome } from "./child_process.ts";
import { exitCodeOf, runCommand } from "./child_process.ts";
import { endedElsewhere, isEnd } from "./ended_elsewhere.ts";
import { Interruption } from "./interruption.ts";
import { OutputPublisher } from "./output_publisher.ts";

/** Options of `taskcast run`. */
export interface RunOptions {
  /** Address of the server. */
  url: string;
  /** The task's type. */
  type: string;
  token?: string;
  /** The command and its arguments. */
  command: readonly [string, ...string[]];
}

/**
 * `taskcast run`: runs a command as a task. Its output is shown as usual and becomes the task's `stdout`
 * and `stderr` series; its exit code decides how the task ends.
 *
 * @returns The command's own exit code.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const interruption = new Interruption();
  const task = { id: "" };
  try {
    return await Promise.race([
      runTask(options, { terminal, interruption, onCreated: (id) => task.id = id }),
      interruption.leave.then((code) => {
        noteError(
          terminal,
          task.id === ""
            ? "taskcast: left before the server answered"
            : `taskcast: left before the server knew how task ${task.id} ended`,
        );
        return code;
      }),
    ]);
  } finally {
    interruption.close();
  }
}

interface RunContext {
  terminal: Terminal;
  interruption: Interruption;
  onCreated(taskId: string): void;
}

async function runTask(
  { url, type, token, command }: RunOptions,
  { terminal, interruption, onCreated }: RunContext,
): Promise<number> {
  const client = new TaskcastServerClient({ baseUrl: url, token, retry: { attempts: 3 } });
  const { id } = await client.createTask({ type, params: { command: [...command] } });
  onCreated(id);
  terminal.note(
    terminal.paint("dim", `taskcast: task ${id} is followed at `) +
      terminal.paint("cyan", `${url}/tasks/${id}/events`),
  );
  let keeper: LeaseKeeper | undefined;
  try {
    if (interruption.signal === undefined) keeper = await startRunning(client, id);
    if (interruption.signal !== undefined) {
      keeper?.stop();
      await client.transitionTask(id, "cancelled", { reason: "interrupted" });
      return exitCodeOf(interruption.signal);
    }
  } catch (error) {
    await noteRefusal(error);
    return 1;
  }
  const publisher = client.openPublisher(id);
  const startedMs = Date.now();
  const output = {
    out: new OutputPublisher(publisher, "stdout"),
    err: new OutputPublisher(publisher, "stderr"),
  };
  let isOutputClosed = false;
  const take = (name: "out" | "err") => async (bytes: Uint8Array): Promise<boolean> => {
    const published = output[name].write(bytes);
    const isShown = await isWritten(terminal, name, bytes);
    await published;
    isOutputClosed ||= !isShown;
    return isShown;
  };
  const child = runCommand(command, { stdout: take("out"), stderr: take("err") });
  publisher.signal.addEventListener("abort", () => {
    const { reason } = publisher.signal;
    // If the task was ended elsewhere, the remaining output is dropped. A full store or an unreachable server is
    // no reason to stop the command.
    if (isEnd(reason)) child.stop("SIGTERM");
    else noteError(terminal, `taskcast: the task gets no more output: ${reason.message}`);
  }, { once: true });
  keeper?.signal.addEventListener("abort", () => child.stop("SIGTERM"), { once: true });
  keeper?.cancelSignal.addEventListener("abort", () => {
    terminal.note(terminal.paint("yellow", `taskcast: task ${id} is asked to stop`));
    child.stop("SIGTERM");
  }, { once: true });
  const outcome = await interruption.during(child);

  if (outcome.problem !== undefined) noteError(terminal, outcome.problem);
  const isCancelled = keeper?.cancelSignal.aborted === true;
  const interrupted = interruption.signal !== undefined || outcome.signal === "SIGINT";
  try {
    await Promise.all([output.out.close(), output.err.close()]);
    const outputError = await closed(publisher);
    await endTask(client, id, outcome, {
      outputError,
      durationMs: Date.now() - startedMs,
      reason: interrupted
        ? "interrupted"
        : isCancelled
        ? "asked to stop"
        : isOutputClosed
        ? "the output was closed"
        : undefined,
    });
  } catch (error) {
    await noteRefusal(error);
    return outcome.code === 0 ? 1 : outcome.code;
  } finally {
    keeper?.stop();
  }
  return outcome.code;

  async function noteRefusal(error: unknown): Promise<void> {
    const elsewhere = await endedElsewhere(client, id, error);
    if (elsewhere !== undefined) terminal.note(terminal.paint("yellow", `taskcast: ${elsewhere}`));
    else noteError(terminal, `taskcast: ${(error as Error).message}`);
  }
}

/** Milliseconds after which the task fails if this process dies. */
const LEASE_MS = 30_000;

/** Milliseconds between signs of life, in which requests to stop are noticed. */
const RENEWAL_MS = 1_000;

/**
 * Moves a task to `running`, and keeps a lease on it.
 *
 * @returns `undefined` if the server has no leases.
 */
async function startRunning(
  client: TaskcastServerClient,
  id: string,
): Promise<LeaseKeeper | undefined> {
  try {
    const task = await client.transitionTask(id, "running", { lease: { ms: LEASE_MS } });
    return client.keepLease(task, { everyMs: RENEWAL_MS });
  } catch (error) {
    const isUnknown = error instanceof TaskcastError &&
      (error.code === "NOT_SUPPORTED" || error.code === "INVALID_INPUT");
    if (!isUnknown) throw error;
    await client.transitionTask(id, "running");
    return undefined;
  }
}

/**
 * Closes the publisher.
 *
 * @returns Reason why the task lacks a part of the output, if it does.
 * @throws The server's refusal, if the task was ended elsewhere.
 */
async function closed(publisher: Publisher): Promise<string | undefined> {
  try {
    await publisher.close();
  } catch (error) {
    if (isEnd(error)) throw error;
    return (error as Error).message;
  }
}

/** Shows a part of the output; resolves with `false` if it can no longer be shown. */
async function isWritten(
  terminal: Terminal,
  name: "out" | "err",
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    await terminal[name](bytes);
    return true;
  } catch (error) {
    const { code, message } = error as OutputError;
    // The reader has had enough, as `head` has; but a full disk is an error.
    if (code !== "EPIPE") noteError(terminal, `taskcast: ${message}`);
    return false;
  }
}

function noteError(terminal: Terminal, message: string): void {
  terminal.note(`${terminal.paint("red", "error")}: ${printable(message)}`);
}

async function endTask(
  client: TaskcastServerClient,
  taskId: string,
  { code, exitCode, signal, problem }: Outcome,
  { reason, ...facts }: { reason?: string; durationMs: number; outputError?: string },
): Promise<void> {
  const result = { exitCode, signal, ...facts };
  // A command that succeeded all the same is not cancelled.
  if (reason !== undefined && (code !== 0 || reason === "interrupted")) {
    await client.transitionTask(taskId, "cancelled", { result, reason });
  } else if (code === 0) {
    await client.transitionTask(taskId, "completed", { result });
  } else {
    const [code, message] = problem !== undefined
      ? ["NOT_STARTED", problem]
      : signal !== undefined
      ? ["SIGNAL", `The command was ended by ${signal}`]
      : ["EXIT_CODE", `The command exited with code ${exitCode}`];
    await client.transitionTask(taskId, "failed", { result, error: { code, message } });
  }
}
