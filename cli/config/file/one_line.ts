import { firstLine } from "../../server/address.ts";

/** What an error of a parser says, with the place that jiti tells in a second line. */
export function oneLine(message: string): string {
  const [, line, column] = /^.*\n\s*\S.*:(\d+):(\d+)\s*$/.exec(message) ?? [];
  const what = firstLine(message).trim();
  return line === undefined ? what : `${what} (line ${line}, column ${column})`;
}
