import type { Terminal } from "../command_line/terminal.ts";

/** Log formats. */
export const LOG_FORMATS = ["pretty", "json"] as const;

/** A log format: for people, or one JSON object a line. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Returns the named format, else the one for the reader: people at a terminal, otherwise programs. */
export function logFormatOf(
  named: string | undefined,
  terminal: Pick<Terminal, "isTty">,
): LogFormat {
  return LOG_FORMATS.find((format) => format === named) ?? (terminal.isTty ? "pretty" : "json");
}
