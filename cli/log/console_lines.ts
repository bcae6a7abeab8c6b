import { format } from "node:util";
import { jsonLine } from "./logger.ts";
import type { LogLevel } from "../config/start_settings.ts";
import type { Terminal } from "../command_line/terminal.ts";

/** What goes to the error output by `console`, and how bad it is. */
const LEVELS = { warn: "warn", error: "error", trace: "debug" } as const satisfies Record<
  string,
  LogLevel
>;

/**
 * Has what libraries write to the error output by `console` become lines of the log, as JSON: whoever
 * reads the log a line at a time would stumble over others. Nothing is left out.
 */
export function logConsoleAsJson(terminal: Pick<Terminal, "note">): void {
  for (const [name, level] of Object.entries(LEVELS)) {
    console[name as keyof typeof LEVELS] = (...values: unknown[]) => {
      terminal.note(jsonLine(level, format(...values), {}, Date.now()));
    };
  }
}
