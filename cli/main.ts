import process from "node:process";
import { runCommandLine } from "./command_line/program.ts";
import { processTerminal } from "./command_line/terminal.ts";

/**
 * Runs the command line in this process's terminal, environment and working folder.
 *
 * @param args The words after the program's name.
 * @returns The exit code: 0, 1 after an error, 2 for an invalid command line.
 */
export async function main(args: readonly string[]): Promise<number> {
  return await runCommandLine(args, {
    terminal: processTerminal(),
    env: process.env,
    folder: process.cwd(),
  });
}
