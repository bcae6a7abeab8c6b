import process from "node:process";
import { TaskcastError } from "@taskcast/core/protocol";
import { Command, CommanderError, Option } from "commander";
import { choiceOption } from "./command_line/choice_option.ts";
import { addCleanupCommand } from "./command_line/cleanup_command.ts";
import type { ClientFlags } from "./command_line/client_options.ts";
import {
  reaching,
  tokenOption,
  UnreachableError,
  urlOption,
} from "./command_line/client_options.ts";
import { environmentHelp } from "./command_line/environment_help.ts";
import { assertKnownCommand } from "./command_line/known_command.ts";
import { printable } from "./command_line/printable.ts";
import { addRedisCommand } from "./command_line/redis_command.ts";
import { OutputError, processTerminal } from "./command_line/terminal.ts";
import { addTokenCommand } from "./command_line/token_command.ts";
import { addWebhooksCommand } from "./command_line/webhooks_command.ts";
import { CONFIG_FILES } from "./config/file/find_file.ts";
import type { StartFlags } from "./config/layers.ts";
import { parseMaxMemory, parsePort } from "./config/setting_values.ts";
import { SettingsError } from "./config/settings_error.ts";
import { LOG_LEVELS, startSettings } from "./config/start_settings.ts";
import { LISTENERS } from "./listen/contract.ts";
import { ListenError } from "./listen/listen_error.ts";
import type { LogFormat } from "./log/log_format.ts";
import { LOG_FORMATS, logFormatOf } from "./log/log_format.ts";
import { jsonLine } from "./log/logger.ts";
import { VERSION } from "./version.ts";

// Commands are loaded when they are run: each is fast to start, and holds no memory for the others.

/**
 * Runs the command line.
 *
 * @param args What follows the program's name.
 * @returns The exit code: 0, 1 for what went wrong, 2 for a wrong command line.
 */
export async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  let code = 0;
  let logFormat: LogFormat = "pretty";
  let helpWritten: Promise<void> | undefined; // Or the version.
  const program = new Command("taskcast")
    .description("Long-lived tasks that people watch: serve them, run them, follow them.")
    .version(VERSION, "-v, --version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void (helpWritten = terminal.out(text)),
      writeErr: (text) => terminal.note(text.trimEnd()),
    });

  addStartOptions(
    program.command("start", { isDefault: true })
      .description("Serve tasks over HTTP and SSE (the default command)"),
  ).action(async (flags: StartFlags) => {
    // What is wrong with the configuration is told before anybody knows what it says.
    logFormat = logFormatOf(flags.logFormat ?? process.env.TASKCAST_LOG_FORMAT, terminal);
    const settings = await startSettings(flags, process.env, process.cwd());
    logFormat = logFormatOf(settings.logFormat, terminal);
    const { start } = await import("./commands/start.ts");
    code = await start(settings, { terminal, logFormat });
  });

  const config = program.command("config").description("Look at the configuration");
  addStartOptions(
    config.command("check")
      .description("Check the configuration, and show what holds and where it comes from"),
  )
    .option("--json", "write it as JSON", false)
    .action(async ({ json, ...flags }: StartFlags & { json: boolean }) => {
      const { checkConfig } = await import("./commands/config_check.ts");
      code = await checkConfig(flags, { env: process.env, folder: process.cwd(), json }, terminal);
    });
  config.command("schema")
    .description("Print the JSON Schema of configuration files, for editors")
    .action(async () => {
      const { jsonSchemaText } = await import("./config/schema/json_schema.ts");
      await terminal.out(jsonSchemaText());
    });

  program.command("migrate")
    .description("Bring the tables in PostgreSQL up to date")
    .option("-c, --config <file>", "configuration file")
    .option("--postgres-url <url>", "where they are (env: TASKCAST_POSTGRES_URL)")
    .action(async (flags: Pick<StartFlags, "config" | "postgresUrl">) => {
      const { migrate } = await import("./commands/migrate.ts");
      const { postgresUrls } = await import("./config/postgres_urls.ts");
      code = await migrate(await postgresUrls(flags, process.env, process.cwd()), terminal);
    });

  addTokenCommand(program, terminal, (exitCode) => code = exitCode);
  addCleanupCommand(program, terminal, addStorageOptions, (exitCode) => code = exitCode);

  addRedisCommand(program, terminal, addStorageOptions, (exitCode) => code = exitCode);

  addWebhooksCommand(program, terminal, (exitCode) => code = exitCode);

  program.command("run")
    .description("Run a command as a task: its output is streamed, its exit code ends the task")
    .addOption(new Option("--type <type>", "the task's type").default("process"))
    .addOption(urlOption())
    .addOption(tokenOption())
    .argument("<command...>", "the command, after --")
    .passThroughOptions()
    .action(async (command: [string, ...string[]], flags: ClientFlags & { type: string }) => {
      const { run } = await import("./commands/run/run.ts");
      code = await reaching(flags, (flags) => run({ ...flags, command }, terminal));
    });

  program.command("logs")
    .description("Show a task's events in the terminal")
    .argument("<id>", "the task")
    .option("-f, --follow", "go on until the task ends; reconnects by itself", false)
    .option("--json", "write each event as a line of JSON", false)
    .addOption(urlOption())
    .addOption(tokenOption())
    .action(async (taskId: string, flags: ClientFlags & { follow: boolean; json: boolean }) => {
      const { logs } = await import("./commands/logs.ts");
      code = await reaching(flags, (flags) => logs({ ...flags, taskId }, terminal));
    });

  pointToHelp(program, "taskcast");

  // Help, the version and wrong command lines are errors to commander.
  const parse = async () => {
    try {
      assertKnownCommand(program, args);
      await program.parseAsync([...args], { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      await helpWritten;
      code = error.exitCode === 0 ? 0 : 2;
    }
  };

  try {
    await parse();
  } catch (error) {
    const fail = (message: string) => {
      for (const line of message.split("\n")) {
        terminal.note(
          logFormat === "json"
            ? jsonLine("error", line, {}, Date.now())
            : `${terminal.paint("red", "error")}: ${printable(line)}`,
        );
      }
      return 1;
    };
    if (error instanceof SettingsError || error instanceof ListenError) return fail(error.message);
    if (error instanceof TaskcastError) return fail(error.message);
    // Whoever read our output has had enough, as `head` does.
    if (error instanceof OutputError) return error.code === "EPIPE" ? 0 : fail(error.message);
    if (error instanceof UnreachableError) return fail(error.message);
    throw error;
  }
  return code;
}

/** Has errors of each command name the help of that command. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(${name} --help tells more)`);
  for (const child of command.commands) pointToHelp(child, `${name} ${child.name()}`);
}

/** What `start` can be told, and `config check`, which says what would come of it. */
function addStartOptions(command: Command): Command {
  return addStorageOptions(command)
    .addOption(
      new Option("-p, --port <port>", "port to listen on (env: TASKCAST_PORT, default: 3721)")
        .argParser(parsePort),
    )
    .option(
      "--host <address>",
      "address to listen on (env: TASKCAST_HOST, default: 127.0.0.1 and ::1 without " +
        "authentication, else 0.0.0.0)",
    )
    .option(
      "--allow-short-secrets",
      "take secrets with fewer than 32 bytes, which can be guessed (env: TASKCAST_ALLOW_SHORT_SECRETS)",
    )
    .addOption(
      new Option(
        "--allow-host <name>",
        "another name that leads to a server on loopback; may be repeated (env: TASKCAST_ALLOW_HOSTS)",
      ).argParser((name: string, before?: string) =>
        before === undefined ? name : `${before},${name}`
      ),
    )
    .addOption(
      choiceOption(
        "--listener <server>",
        "HTTP server on Deno: its own, or Node's (env: TASKCAST_LISTENER, default: deno)",
        LISTENERS,
      ),
    )
    .addOption(
      choiceOption(
        "--log-level <level>",
        "least important messages (env: TASKCAST_LOG_LEVEL, default: info)",
        LOG_LEVELS,
      ),
    )
    .addOption(
      choiceOption(
        "--log-format <format>",
        "how they are written (env: TASKCAST_LOG_FORMAT, default: pretty at a terminal, else json)",
        LOG_FORMATS,
      ),
    )
    .addOption(
      new Option(
        "--max-memory <MiB>",
        "memory for tasks (env: TASKCAST_MAX_MEMORY, default: 512); beyond it the tasks that ended " +
          "longest ago are given up",
      ).argParser(parseMaxMemory),
    )
    .option(
      "--cors [origins]",
      "let pages of other origins call; all, or a comma list (env: TASKCAST_CORS)",
    )
    .addHelpText("after", environmentHelp);
}

/** Where tasks are kept, and the configuration that may say so. */
function addStorageOptions(command: Command): Command {
  return command
    .option(
      "-c, --config <file>",
      `configuration file (default: the first of ${CONFIG_FILES.join(", ")} that is there)`,
    )
    .addOption(
      new Option(
        "--storage <kind>",
        "where tasks are kept: memory, sqlite, redis, postgres, deno-kv, or a module whose default " +
          "export is an AdapterPlugin (env: TASKCAST_STORAGE, default: memory)",
      ),
    )
    .option(
      "--sqlite-path <file>",
      "the file of SQLite (env: TASKCAST_SQLITE_PATH, default: taskcast.db); alone it chooses SQLite",
    )
    .option(
      "--redis-url <url>",
      "Redis for tasks and wake-ups (env: TASKCAST_REDIS_URL); alone it chooses Redis",
    )
    .option(
      "--postgres-url <url>",
      "PostgreSQL as the archive behind any storage, or with --storage postgres for everything " +
        "(env: TASKCAST_POSTGRES_URL)",
    )
    .option(
      "--postgres-listen-url <url>",
      "the same PostgreSQL without a pooler that gives each transaction another connection, for " +
        "wake-ups (env: TASKCAST_POSTGRES_LISTEN_URL, default: --postgres-url)",
    )
    .option(
      "--no-auto-migrate",
      "refuse to start when the tables in PostgreSQL are out of date (env: TASKCAST_AUTO_MIGRATE)",
    );
}
