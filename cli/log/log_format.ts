import type { Terminal } from "../command_line/terminal.ts";

/** The ways in which the log can be written. */
export const LOG_FORMATS = ["pretty", "json"] as const;

/** How the log is written: for people, or a JSON object a line. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The format that is named, else what suits who reads it: people at a terminal, else programs. */
export function logFormatOf(
  named: string | undefined,
  terminal: Pick<Terminal, "isTty">,
): LogFormat {
  return LOG_FORMATS.find((format) => format === named) ?? (terminal.isTty ? "pretty" : "json");
}
