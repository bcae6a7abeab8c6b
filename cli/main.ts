import process from "node:process";
import { Command, CommanderError, Option } from "commander";
import { start } from "./commands/start.ts";
import { ListenError } from "./listen.ts";
import type { StartFlags } from "./settings.ts";
import { LOG_LEVELS, parsePort, SettingsError, startSettings } from "./settings.ts";
import { processTerminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line.
 *
 * @param args What follows the program's name.
 * @returns The exit code: 0, 1 for what went wrong, 2 for a wrong command line.
 */
export async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  let code = 0;
  const program = new Command("taskcast")
    .description("Long-lived tasks that people watch: serve them, run them, follow them.")
    .version(VERSION, "-v, --version")
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(taskcast --help tells more)");

  program.command("start", { isDefault: true })
    .description("Serve tasks over HTTP and SSE (the default command)")
    .addOption(
      new Option("-p, --port <port>", "port to listen on (env: TASKCAST_PORT, default: 3721)")
        .argParser(parsePort),
    )
    .option("--host <address>", "address to listen on (env: TASKCAST_HOST, default: 0.0.0.0)")
    .addOption(
      new Option("--log-level <level>", "least important messages (env: TASKCAST_LOG_LEVEL)")
        .choices([...LOG_LEVELS]),
    )
    .option("--cors [origins]", "let pages of other origins call; all, or a comma list")
    .action(async (flags: StartFlags) => {
      code = await start(startSettings(flags, process.env), terminal);
    });

  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof SettingsError || error instanceof ListenError) {
      terminal.note(`${terminal.paint("red", "error")}: ${error.message}`);
      return 1;
    }
    throw error;
  }
  return code;
}
