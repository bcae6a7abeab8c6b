import { TaskcastHttpError } from "@taskcast/client/http";
import type { WebhookStatus } from "@taskcast/core/protocol";
import { toJsonLine } from "@taskcast/core/protocol";
import { printable } from "../command_line/printable.ts";
import type { Terminal } from "../command_line/terminal.ts";
import type { WebhookClient } from "./webhook_client.ts";

/** Deliveries of one webhook that were given up one after another, for the same reason. */
interface Undelivered {
  taskId: string;
  hook: string;
  url: string;
  /** Indexes of the first and the last event. */
  from: number;
  through: number;
  /** How many events. */
  count: number;
  error: string;
  /** When the last was given up. Unix milliseconds. */
  at: number;
}

/**
 * `taskcast webhooks list`: shows what was given up, those that were longest ago first.
 *
 * @param options At most so many tasks are looked at; as lines of JSON instead of a table.
 * @returns The exit code.
 */
export async function listWebhooks(
  client: WebhookClient,
  { limit, json }: { limit: number; json: boolean },
  terminal: Terminal,
): Promise<number> {
  const rows: Undelivered[] = [];
  let tasks = 0;
  let isMore = false;
  for await (const taskId of client.undelivered()) {
    if (tasks === limit) {
      isMore = true;
      break;
    }
    tasks++;
    const found = failuresOf(taskId, await webhooksOf(client, taskId));
    if (json) { for (const row of found) await terminal.out(toJsonLine(row) + "\n"); }
    else rows.push(...found);
  }
  if (rows.length > 0) await terminal.out(table(rows));
  else if (!json) terminal.note("Nothing waits: no delivery was given up");
  if (isMore) terminal.note(`There are more than ${limit} tasks; --limit shows more`);
  return 0;
}

/** What is to be tried again. */
export type RetryTarget = { all: true } | { all?: false; taskId: string; hook?: string };

/**
 * `taskcast webhooks retry`: has deliveries tried again that were given up: of a webhook, of a task,
 * or of all tasks.
 *
 * @returns The exit code.
 */
export async function retryWebhooks(
  client: WebhookClient,
  target: RetryTarget,
  terminal: Terminal,
): Promise<number> {
  let retried = 0;
  const retry = async (taskId: string, hook: string) => {
    const count = await client.retry(taskId, hook);
    if (count === 0) return;
    retried += count;
    const what = count === 1 ? "1 delivery" : `${count} deliveries`;
    await terminal.out(printable(`${taskId}, webhook ${hook}: ${what} again`) + "\n");
  };
  if (!target.all && target.hook !== undefined) {
    await retry(target.taskId, target.hook);
  } else if (!target.all) {
    for (const { hook } of withFailures(await client.of(target.taskId))) {
      await retry(target.taskId, hook);
    }
  } else {
    // All first: what fails again at once would come up again and again.
    for (const taskId of await Array.fromAsync(client.undelivered())) {
      for (const { hook } of withFailures(await webhooksOf(client, taskId))) {
        await retry(taskId, hook);
      }
    }
  }
  if (retried === 0) terminal.note("Nothing to try again: no delivery was given up");
  return 0;
}

/** The webhooks of a task that was listed; none when it was deleted since. */
async function webhooksOf(client: WebhookClient, taskId: string): Promise<WebhookStatus[]> {
  try {
    return await client.of(taskId);
  } catch (error) {
    if (error instanceof TaskcastHttpError && error.code === "TASK_NOT_FOUND") return [];
    throw error;
  }
}

function withFailures(webhooks: readonly WebhookStatus[]): WebhookStatus[] {
  return webhooks.filter(({ failed }) => failed.length > 0);
}

function failuresOf(taskId: string, webhooks: readonly WebhookStatus[]): Undelivered[] {
  return webhooks.flatMap(({ hook, url, failed }) =>
    failed.map((range) => ({ taskId, hook, url, ...range }))
  );
}

/** A line for each, the reason last since it is longest. */
function table(rows: readonly Undelivered[]): string {
  const lines = [
    ["TASK", "WEBHOOK", "EVENTS", "GIVEN UP", "URL", "REASON"],
    ...rows.map(({ taskId, hook, url, from, through, count, error, at }) => [
      taskId,
      hook,
      // Between the first and the last there may be events that the webhook does not want.
      count === 1 ? `${from}` : `${count} (${from}-${through})`,
      new Date(at).toISOString().replace(/\.\d+/, ""),
      url,
      error,
    ]),
  ].map((cells) => cells.map(printable));
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)));
  return lines.map((cells) =>
    cells.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd() + "\n"
  ).join("");
}
