import type { Command } from "commander";
import { didYouMean } from "./config/did_you_mean.ts";
import { printable } from "./printable.ts";

/**
 * Refuses a first word that is no command: as an argument of the default command, which takes none,
 * it would get a message that nobody understands.
 *
 * @throws {CommanderError} Told already.
 */
export function assertKnownCommand(program: Command, [word]: readonly string[]): void {
  if (word === undefined || word.startsWith("-")) return;
  const known = [...program.commands.map((command) => command.name()), "help"];
  if (known.includes(word)) return;
  const close = didYouMean(word, known);
  program.error(
    `error: there is no command "${printable(word)}"; ` +
      (close === undefined ? `there are: ${known.join(", ")}` : `did you mean "${close}"?`),
  );
}
