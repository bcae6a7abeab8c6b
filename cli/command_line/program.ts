import { DEFAULT_GRACE_MS, hintFor, TaskcastError } from "@taskcast/core/protocol";
import { Command, CommanderError, Option } from "commander";
import type { CancelOptions } from "../commands/cancel.ts";
import type { CleanupOptions } from "../commands/cleanup.ts";
import type { TokenOptions } from "../commands/token.ts";
import type { Environment, StartFlags } from "../config/layers.ts";
import { SettingsError } from "../config/settings_error.ts";
import { ListenError } from "../listen/listen_error.ts";
import type { LogFormat } from "../log/logger.ts";
import { jsonLine, logFormatOf } from "../log/logger.ts";
import { VERSION } from "../version.ts";
import type { ClientFlags } from "./client_options.ts";
import { addClientOptions, reaching, UnreachableError } from "./client_options.ts";
import { configOption, numberOption, parseDuration, parseGrace } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { OutputError, printable } from "./terminal.ts";

// All commands and their options. The code of a command is imported when it runs, and so are options
// that come from the schema of the configuration, so that each command starts fast and holds no
// memory for the others.

/** The surroundings of a command line. */
export interface CommandLineContext {
  terminal: Terminal;
  env: Environment;
  /** The working folder. */
  folder: string;
}

/** A command line that is being run. */
interface Session extends CommandLineContext {
  exitCode: number;
  /** The format of errors. */
  logFormat: LogFormat;
  /** Help or the version, while it is being written. */
  helpWritten?: Promise<void>;
}

/** The most tasks that `webhooks list` looks at. */
const MAX_LISTED_TASKS = 100_000;

/**
 * Runs a command line.
 *
 * @param args The words after the program's name.
 * @returns The exit code: 0, 1 after an error, 2 for an invalid command line.
 */
export async function runCommandLine(
  args: readonly string[],
  context: CommandLineContext,
): Promise<number> {
  const session: Session = { ...context, exitCode: 0, logFormat: "pretty" };
  try {
    return await parse(createProgram(session), args, session);
  } catch (error) {
    // The reader of our output has had enough, as `head` has.
    if (error instanceof OutputError && error.code === "EPIPE") return 0;
    if (!isExpected(error)) throw error;
    noteErrors(session, error.message);
    return 1;
  }
}

/** Parses a command line and runs its command; help and the version end as errors of commander. */
async function parse(program: Command, args: readonly string[], session: Session): Promise<number> {
  try {
    assertKnownCommand(program, args);
    await program.parseAsync(asHelpOption(args), { from: "user" });
    return session.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    await session.helpWritten;
    return error.exitCode === 0 ? 0 : 2;
  }
}

/** Returns whether an error has a message for users, who need no stack. */
function isExpected(error: unknown): error is Error {
  return [SettingsError, ListenError, TaskcastError, OutputError, UnreachableError]
    .some((kind) => error instanceof kind);
}

function noteErrors({ terminal, logFormat }: Session, message: string): void {
  for (const line of message.split("\n")) {
    terminal.note(
      logFormat === "json"
        ? jsonLine("error", line, {}, Date.now())
        : `${terminal.paint("red", "error")}: ${printable(line)}`,
    );
  }
}

/**
 * Refuses a first word that is not a command. As an argument of the default command, which takes none,
 * its message would be hard to understand; and `help` would answer it with no message at all.
 *
 * @throws {CommanderError} After the message was written.
 */
function assertKnownCommand(program: Command, [first, second]: readonly string[]): void {
  const word = first === "help" ? second : first;
  if (word === undefined || word.startsWith("-")) return;
  const known = [...program.commands.map((command) => command.name()), "help"];
  if (known.includes(word)) return;
  program.error(`error: there is no command "${printable(word)}"; ${hintFor(word, known)}`);
}

/** Returns `help start` as `start --help`, which adds the options before it writes them. */
function asHelpOption(args: readonly string[]): string[] {
  const [first, ...words] = args;
  return first === "help" && words.length > 0 ? [...words, "--help"] : [...args];
}

/**
 * Adds the options of a server's settings to a command before its arguments are parsed. They are not
 * loaded for other commands.
 *
 * @param kind All settings, or only those that say where tasks are stored.
 */
function addSettingsOptions(command: Command, kind: "start" | "storage"): Command {
  command.parent!.hook("preSubcommand", async (_parent, called) => {
    if (called !== command) return;
    const { addStartOptions, addStorageOptions } = await import("./settings_options.ts");
    if (kind === "start") addStartOptions(command);
    else addStorageOptions(command);
  });
  return command;
}

function createProgram(session: Session): Command {
  const { terminal } = session;
  const program = new Command("taskcast")
    .description("Long-lived tasks that people watch: serve them, run them, follow them.")
    .version(VERSION, "-v, --version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void (session.helpWritten = terminal.out(text)),
      writeErr: (text) => terminal.note(text.trimEnd()),
    });
  addStart(program, session);
  addConfig(program, session);
  addMigrate(program, session);
  addToken(program, session);
  addCleanup(program, session);
  addRedis(program, session);
  addWebhooks(program, session);
  addRun(program, session);
  addLogs(program, session);
  addCancel(program, session);
  pointToHelp(program, "taskcast");
  return program;
}

/** Lets the errors of each command name its own help. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(${name} --help tells more)`);
  for (const child of command.commands) pointToHelp(child, `${name} ${child.name()}`);
}

function addStart(program: Command, session: Session): void {
  const { env, folder, terminal } = session;
  addSettingsOptions(
    program.command("start", { isDefault: true })
      .description("Serve tasks over HTTP and SSE (the default command)"),
    "start",
  ).action(async (flags: StartFlags) => {
    // Errors of the configuration are logged before its own format is known.
    const named = flags.logFormat ?? env.TASKCAST_LOG_FORMAT;
    session.logFormat = logFormatOf(named as string | undefined, terminal);
    const { startSettings } = await import("../config/start_settings.ts");
    const settings = await startSettings(flags, env, folder);
    session.logFormat = logFormatOf(settings.logFormat, terminal);
    const { start } = await import("../commands/start.ts");
    session.exitCode = await start(settings, { terminal, logFormat: session.logFormat });
  });
}

function addConfig(program: Command, session: Session): void {
  const { env, folder, terminal } = session;
  const config = program.command("config").description("Inspect the configuration");
  addSettingsOptions(
    config.command("check")
      .description("Check the configuration, and show the values in effect and their sources"),
    "start",
  )
    .option("--json", "write JSON", false)
    .action(async ({ json, ...flags }: StartFlags & { json: boolean }) => {
      const { checkConfig } = await import("../commands/config_check.ts");
      session.exitCode = await checkConfig(flags, { env, folder, json }, terminal);
    });
  config.command("schema")
    .description("Print the JSON Schema of configuration files, for editors")
    .action(async () => {
      const { jsonSchemaText } = await import("../config/schema/json_schema.ts");
      await terminal.out(jsonSchemaText());
    });
}

function addMigrate(program: Command, session: Session): void {
  program.command("migrate")
    .description("Update the tables in PostgreSQL")
    .addOption(configOption())
    .option("--postgres-url <url>", "address of the database (env: TASKCAST_POSTGRES_URL)")
    .action(async (flags: StartFlags) => {
      const { migrate } = await import("../commands/migrate.ts");
      session.exitCode = await migrate(flags, session);
    });
}

function addToken(program: Command, session: Session): void {
  const { env, folder, terminal } = session;
  program.command("token")
    .description("Create a token for trying things out, from the server's settings for tokens")
    .requiredOption("--scope <scopes...>", "scopes, such as event:subscribe; * is everything")
    .option("--task-ids <ids>", "ids of its tasks, separated by commas, or * for all")
    .option("--sub <name>", "subject: the user or program it is for")
    .addOption(
      new Option("--expires <duration>", "lifetime: 90s, 15m, 1h, 7d")
        .argParser(parseDuration).default(3_600, "1h"),
    )
    .option("--private-key-file <file>", "key for algorithms other than HS256: PEM or JWK")
    .option("--json", "also write the claims, as JSON", false)
    .addOption(configOption())
    .action(async (options: TokenOptions & { config?: string }) => {
      const { token } = await import("../commands/token.ts");
      const { jwtSettings } = await import("../config/jwt_settings.ts");
      const settings = await jwtSettings({ config: options.config }, env, folder);
      session.exitCode = await token(options, settings, terminal);
    });
}

function addCleanup(program: Command, session: Session): void {
  const { env, folder, terminal } = session;
  addSettingsOptions(
    program.command("cleanup")
      .description("Apply clean-up rules once; servers do so by themselves"),
    "storage",
  )
    .option("--dry-run", "change nothing, and show what would be deleted", false)
    .option("--json", "write a line of JSON for each task", false)
    .action(async ({ dryRun, json, ...flags }: StartFlags & CleanupOptions) => {
      const { startSettings } = await import("../config/start_settings.ts");
      const settings = await startSettings(flags, env, folder);
      const { cleanup } = await import("../commands/cleanup.ts");
      session.exitCode = await cleanup(settings, { dryRun, json }, terminal);
    });
}

function addRedis(program: Command, session: Session): void {
  const { env, folder, terminal } = session;
  const redis = program.command("redis").description("Maintain tasks that are stored in Redis");
  addSettingsOptions(
    redis.command("accept-loss")
      .description("Accept that data in Redis is lost, so that all servers continue without it")
      .argument("<words...>", "the lost data, as errors and /health/ready name it"),
    "storage",
  )
    .action(async (words: string[], flags: StartFlags) => {
      const { startSettings } = await import("../config/start_settings.ts");
      const settings = await startSettings(flags, env, folder);
      const { acceptLoss } = await import("../commands/accept_loss.ts");
      session.exitCode = await acceptLoss(settings, words, terminal);
    });
}

function addWebhooks(program: Command, session: Session): void {
  const { env, terminal } = session;
  const webhooks = program.command("webhooks")
    .description("List and retry failed webhook deliveries");

  addClientOptions(
    webhooks.command("list")
      .description("List failed deliveries, oldest first")
      .addOption(
        numberOption("--limit <tasks>", "maximum number of tasks to look at", MAX_LISTED_TASKS)
          .default(100),
      )
      .option("--json", "write a line of JSON for each", false),
  ).action(async (flags: ClientFlags & { limit: number; json: boolean }) => {
    const { listWebhooks } = await import("../commands/webhooks.ts");
    session.exitCode = await reaching(flags, env, (flags) => listWebhooks(flags, terminal));
  });

  const retry = addClientOptions(
    webhooks.command("retry")
      .description("Retry failed deliveries")
      .argument("[taskId]", "the task")
      .argument("[hook]", "one of its webhooks, as list names it; without it all of them")
      .option("--all", "retry those of all tasks", false),
  ).action(
    async (
      taskId: string | undefined,
      hook: string | undefined,
      { all, ...flags }: ClientFlags & { all: boolean },
    ) => {
      if (all === (taskId !== undefined)) retry.error("error: name a task, or give --all");
      const target = taskId === undefined ? { all: true as const } : { taskId, hook };
      const { retryWebhooks } = await import("../commands/webhooks.ts");
      session.exitCode = await reaching(
        flags,
        env,
        (flags) => retryWebhooks(flags, target, terminal),
      );
    },
  );
}

function addRun(program: Command, session: Session): void {
  const { env, terminal } = session;
  addClientOptions(
    program.command("run")
      .description("Run a command as a task: its output is streamed, its exit code ends the task")
      .addOption(new Option("--type <type>", "the task's type").default("process"))
      .argument("<command...>", "the command, after --")
      .passThroughOptions(),
  ).action(async (command: [string, ...string[]], flags: ClientFlags & { type: string }) => {
    const { run } = await import("../commands/run/run.ts");
    session.exitCode = await reaching(flags, env, (flags) => run({ ...flags, command }, terminal));
  });
}

function addLogs(program: Command, session: Session): void {
  const { env, terminal } = session;
  addClientOptions(
    program.command("logs")
      .description("Show a task's events in the terminal")
      .argument("<id>", "the task")
      .option("-f, --follow", "continue until the task ends; reconnects by itself", false)
      .option("--json", "write each event as a line of JSON", false),
  ).action(async (taskId: string, flags: ClientFlags & { follow: boolean; json: boolean }) => {
    const { logs } = await import("../commands/logs.ts");
    session.exitCode = await reaching(flags, env, (flags) => logs({ ...flags, taskId }, terminal));
  });
}

function addCancel(program: Command, session: Session): void {
  const { env, terminal } = session;
  addClientOptions(
    program.command("cancel")
      .description("Ask a task to stop; its producer has some time to end it")
      .argument("<id>", "the task")
      .addOption(
        new Option("--grace <duration>", "time for the producer: 10s, 5m; 0s cancels at once")
          .argParser(parseGrace).default(DEFAULT_GRACE_MS / 1_000, `${DEFAULT_GRACE_MS / 1_000}s`),
      )
      .option("--reason <text>", "the reason, for people")
      .option("-w, --wait", "wait until the task has ended", false)
      .option("--json", "write the task as JSON", false),
  ).action(async (taskId: string, flags: ClientFlags & Omit<CancelOptions, "taskId">) => {
    const { cancel } = await import("../commands/cancel.ts");
    session.exitCode = await reaching(
      flags,
      env,
      (flags) => cancel({ ...flags, taskId }, terminal),
    );
  });
}
