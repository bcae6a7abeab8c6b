import type { Command } from "commander";
import { Option } from "commander";
import type { ClientFlags } from "./client_options.ts";
import { reaching, tokenOption, urlOption } from "./client_options.ts";
import { parseListLimit } from "../config/setting_values.ts";
import type { Terminal } from "./terminal.ts";

/** Adds `taskcast webhooks` to the command line. */
export function addWebhooksCommand(
  program: Command,
  terminal: Terminal,
  onEnd: (exitCode: number) => void,
): void {
  const webhooks = program.command("webhooks")
    .description("Look after deliveries of webhooks that were given up");

  webhooks.command("list")
    .description("Show the deliveries that were given up, the longest ago first")
    .addOption(
      new Option("--limit <tasks>", "look at so many tasks at most").argParser(parseListLimit)
        .default(100),
    )
    .option("--json", "write each as a line of JSON", false)
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async (flags: ClientFlags & { limit: number; json: boolean }) => {
      const { listWebhooks } = await import("../commands/webhooks.ts");
      const { WebhookClient } = await import("../commands/webhook_client.ts");
      onEnd(
        await reaching(flags, (flags) => listWebhooks(new WebhookClient(flags), flags, terminal)),
      );
    });

  const retry = webhooks.command("retry")
    .description("Have deliveries tried again that were given up")
    .argument("[taskId]", "the task")
    .argument("[hook]", "its webhook, as list names it; else all of the task's")
    .option("--all", "those of all tasks", false)
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(
      async (
        taskId: string | undefined,
        hook: string | undefined,
        { all, ...flags }: ClientFlags & { all: boolean },
      ) => {
        if (all === (taskId !== undefined)) retry.error("error: name a task, or give --all");
        const target = taskId === undefined ? { all: true as const } : { taskId, hook };
        const { retryWebhooks } = await import("../commands/webhooks.ts");
        const { WebhookClient } = await import("../commands/webhook_client.ts");
        onEnd(
          await reaching(
            flags,
            (flags) => retryWebhooks(new WebhookClient(flags), target, terminal),
          ),
        );
      },
    );
}
