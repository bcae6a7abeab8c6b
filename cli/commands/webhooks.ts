import { TaskcastHttpError } from "@taskcast/client/http";
import type { WebhookStatus } from "@taskcast/core/protocol";
import { toJsonLine } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";
import { printable } from "../command_line/terminal.ts";
import { type ServerAddress, WebhookClient } from "./webhook_client.ts";

/** Consecutive failed deliveries of one webhook, with the same error. */
interface Undelivered {
  taskId: string;
  hook: string;
  url: string;
  /** Indexes of the first and the last event. */
  from: number;
  through: number;
  /** Number of events. */
  count: number;
  error: string;
  /** Time of the last failure. Unix milliseconds. */
  at: number;
}

/**
 * `taskcast webhooks list`: lists failed deliveries of up to `limit` tasks, oldest first, as a table or
 * as lines of JSON.
 *
 * @returns The exit code.
 */
export async function listWebhooks(
  { limit, json, ...server }: ServerAddress & { limit: number; json: boolean },
  terminal: Terminal,
): Promise<number> {
  const client = new WebhookClient(server);
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
  else if (!json) terminal.note("There are no failed deliveries");
  if (isMore) terminal.note(`There are more than ${limit} tasks; --limit shows more`);
  return 0;
}

/** The deliveries to retry. */
export type RetryTarget = { all: true } | { all?: false; taskId: string; hook?: string };

/**
 * `taskcast webhooks retry`: retries failed deliveries of a webhook, of a task, or of all tasks.
 *
 * @returns The exit code.
 */
export async function retryWebhooks(
  server: ServerAddress,
  target: RetryTarget,
  terminal: Terminal,
): Promise<number> {
  const client = new WebhookClient(server);
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
    // The list is read first: deliveries that fail again at once would reappear in it.
    for (const taskId of await Array.fromAsync(client.undelivered())) {
      for (const { hook } of withFailures(await webhooksOf(client, taskId))) {
        await retry(taskId, hook);
      }
    }
  }
  if (retried === 0) terminal.note("There are no failed deliveries to retry");
  return 0;
}

/** Returns the webhooks of a listed task; none if it was deleted since. */
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

/** Formats one line each, with the reason last since it is longest. */
function table(rows: readonly Undelivered[]): string {
  const lines = [
    ["TASK", "WEBHOOK", "EVENTS", "FAILED AT", "URL", "REASON"],
    ...rows.map(({ taskId, hook, url, from, through, count, error, at }) => [
      taskId,
      hook,
      // Events in between may not match the filter of the webhook.
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
