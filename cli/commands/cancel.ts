import { TaskcastClient } from "@taskcast/client";
import type { Task } from "@taskcast/core/protocol";
import { isTerminal, toJsonLine } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";
import { printable } from "../command_line/terminal.ts";

/** Options of `taskcast cancel`. */
export interface CancelOptions {
  /** Address of the server. */
  url: string;
  token?: string;
  taskId: string;
  /** Seconds that the producer has to end the task itself. */
  grace: number;
  reason?: string;
  /** Waits until the task has ended. */
  wait: boolean;
  /** Writes the task as a line of JSON. */
  json: boolean;
}

/**
 * `taskcast cancel`: asks a task to stop.
 *
 * @returns The exit code: 0 if the request stands or has ended the task, 1 if the task ended otherwise
 * while this waited.
 */
export async function cancel(options: CancelOptions, terminal: Terminal): Promise<number> {
  const { url, token, taskId, grace, reason, wait, json } = options;
  const client = new TaskcastClient({ baseUrl: url, token });
  let task: Task = await client.cancel(taskId, { reason, graceMs: grace * 1_000 });
  if (wait && !isTerminal(task.status)) {
    for await (const _event of client.stream(taskId, { filter: { types: ["taskcast:status"] } }));
    task = await client.getTask(taskId);
  }
  await terminal.out(json ? `${toJsonLine(task)}\n` : `${describe(task)}\n`);
  return isTerminal(task.status) && task.status !== "cancelled" ? 1 : 0;
}

function describe({ id, status, cancel, completedAt }: Task): string {
  const name = `task ${printable(id)}`;
  if (!isTerminal(status)) {
    const graceMs = cancel === undefined ? 0 : cancel.deadlineAt - Date.now();
    return `${name} is asked to stop; it is cancelled in ${
      Math.max(0, Math.ceil(graceMs / 1_000))
    } s ` +
      "at the latest";
  }
  if (status !== "cancelled") {
    return `${name} is ${status}: it ended before the request took effect`;
  }
  const tookMs = (completedAt ?? 0) - (cancel?.requestedAt ?? 0);
  return `${name} is cancelled, after ${tookMs} ms`;
}
