import { hintFor } from "@taskcast/core/protocol";
import type { Command } from "commander";
import { printable } from "./printable.ts";

/**
 * Refuses a first word that is no command: as an argument of the default command, which takes none,
 * it would get a message that nobody understands. `help` would answer it without any.
 *
 * @throws {CommanderError} Told already.
 */
export function assertKnownCommand(program: Command, [first, second]: readonly string[]): void {
  const word = first === "help" ? second : first;
  if (word === undefined || word.startsWith("-")) return;
  const known = [...program.commands.map((command) => command.name()), "help"];
  if (known.includes(word)) return;
  program.error(`error: there is no command "${printable(word)}"; ${hintFor(word, known)}`);
}
