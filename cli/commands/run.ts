import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { Outcome } from "../command.ts";
import { runCommand } from "../command.ts";
import { onStopSignal } from "../listen.ts";
import { OutputPublisher } from "../output_publisher.ts";
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

/**
 * `taskcast run`: runs a command as a task. What it writes is shown as usual and is the task's
 * `stdout` and `stderr` series; how it exits is how the task ends.
 *
 * @returns The command's own exit code.
 */
export async function run(options: RunOptions, terminal: Terminal): Promise<number> {
  const { url, type, token, command } = options;
  const client = new TaskcastServerClient({ baseUrl: url, token, retry: { attempts: 3 } });
  const { id } = await client.createTask({ type, params: { command: [...command] } });
  terminal.note(
    terminal.paint("dim", `taskcast: task ${id} is followed at `) +
      terminal.paint("cyan", `${url}/tasks/${id}/events`),
  );
  await client.transitionTask(id, "running");
  const publisher = client.openPublisher(id);
  const startedMs = Date.now();
  const output = { stdout: publishAs("stdout"), stderr: publishAs("stderr") };

  const child = runCommand(command, {
    stdout: (bytes) => Promise.all([terminal.out(bytes), output.stdout.write(bytes)]),
    stderr: (bytes) => Promise.all([terminal.err(bytes), output.stderr.write(bytes)]),
  });
  let interrupted = false;
  const removeHandlers = onStopSignal((signal) => {
    interrupted = true;
    child.stop(signal);
  });
  // Ended from elsewhere: nobody wants the rest.
  publisher.signal.addEventListener("abort", () => child.stop("SIGTERM"), { once: true });
  const outcome = await child.outcome;
  removeHandlers();

  if (outcome.problem !== undefined) {
    terminal.note(`${terminal.paint("red", "error")}: ${outcome.problem}`);
  }
  try {
    await Promise.all([output.stdout.close(), output.stderr.close()]);
    await publisher.close();
    await endTask(client, id, outcome, { interrupted, durationMs: Date.now() - startedMs });
  } catch (error) {
    terminal.note(`${terminal.paint("red", "error")}: taskcast: ${(error as Error).message}`);
    return outcome.code === 0 ? 1 : outcome.code;
  }
  return outcome.code;

  function publishAs(name: "stdout" | "stderr"): OutputPublisher {
    return new OutputPublisher(publisher, name);
  }
}

async function endTask(
  client: TaskcastServerClient,
  taskId: string,
  { code, exitCode, signal, problem }: Outcome,
  { interrupted, durationMs }: { interrupted: boolean; durationMs: number },
): Promise<void> {
  const result = { exitCode, signal, durationMs };
  if (interrupted) {
    await client.transitionTask(taskId, "cancelled", { result, reason: "interrupted" });
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
