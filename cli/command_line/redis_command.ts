import process from "node:process";
import type { Command } from "commander";
import type { StartFlags } from "../config/layers.ts";
import { startSettings } from "../config/start_settings.ts";
import type { Terminal } from "./terminal.ts";

/** Adds `taskcast redis` to the command line. */
export function addRedisCommand(
  program: Command,
  terminal: Terminal,
  addStorageOptions: (command: Command) => Command,
  onEnd: (exitCode: number) => void,
): void {
  const redis = program.command("redis").description("Look after tasks that are kept in Redis");

  addStorageOptions(
    redis.command("accept-loss")
      .description("Have all servers go on with what Redis has, after data was lost for good")
      .argument("<words...>", "the data that is lost, as errors and /health/ready name it"),
  )
    .action(async (words: string[], flags: StartFlags) => {
      const settings = await startSettings(flags, process.env, process.cwd());
      const { acceptLoss } = await import("../commands/accept_loss.ts");
      onEnd(await acceptLoss(settings, words, terminal));
    });
}
