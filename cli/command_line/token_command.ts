import process from "node:process";
import type { Command } from "commander";
import { Option } from "commander";
import type { TokenOptions } from "../commands/token.ts";
import { parseDuration } from "./duration.ts";
import type { Terminal } from "./terminal.ts";

/** Adds `taskcast token` to the command line. */
export function addTokenCommand(
  program: Command,
  terminal: Terminal,
  onEnd: (exitCode: number) => void,
): void {
  program.command("token")
    .description("Make a token for trying things out, from the settings of the server's tokens")
    .requiredOption("--scope <scopes...>", "what it may do, e.g. event:subscribe; * is everything")
    .option("--task-ids <ids>", "the tasks it is for: ids with commas between, or *")
    .option("--sub <name>", "who it is for")
    .addOption(
      new Option("--expires <duration>", "how long it is good: 90s, 15m, 1h, 7d")
        .argParser(parseDuration).default(3_600, "1h"),
    )
    .option("--private-key-file <file>", "signs with other algorithms than HS256: PEM or JWK")
    .option("--json", "write the claims as well", false)
    .option(
      "-c, --config <file>",
      "configuration file of the server (default: the one that start would read)",
    )
    .action(async (options: TokenOptions & { config?: string }) => {
      const { token } = await import("../commands/token.ts");
      const { jwtSettings } = await import("../config/jwt_settings.ts");
      const settings = await jwtSettings(options, process.env, process.cwd());
      onEnd(await token(options, settings, terminal));
    });
}
