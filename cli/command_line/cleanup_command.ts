import process from "node:process";
import type { Command } from "commander";
import type { CleanupOptions } from "../commands/cleanup.ts";
import type { StartFlags } from "../config/layers.ts";
import { startSettings } from "../config/start_settings.ts";
import type { Terminal } from "./terminal.ts";

/** Adds `taskcast cleanup` to the command line. */
export function addCleanupCommand(
  program: Command,
  terminal: Terminal,
  addStorageOptions: (command: Command) => Command,
  onEnd: (exitCode: number) => void,
): void {
  addStorageOptions(
    program.command("cleanup")
      .description("Delete, once, what clean-up rules say is due; servers do so by themselves"),
  )
    .option("--dry-run", "change nothing, and show what would be deleted", false)
    .option("--json", "write a line of JSON for each task", false)
    .action(async ({ dryRun, json, ...flags }: StartFlags & CleanupOptions) => {
      const settings = await startSettings(flags, process.env, process.cwd());
      const { cleanup } = await import("../commands/cleanup.ts");
      onEnd(await cleanup(settings, { dryRun, json }, terminal));
    });
}
