import { toJsonLine } from "@taskcast/core/protocol";
import type { LogFormat } from "./log_format.ts";
import type { LogLevel } from "../config/start_settings.ts";
import { LOG_LEVELS } from "../config/start_settings.ts";
import type { Terminal } from "../command_line/terminal.ts";

/** Facts about a message for programs: `requestId`, `taskId`, `operation`, `status`, … */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line per message for operators. The message contains everything that people need. */
export type Logger = Record<LogLevel, (message: string, fields?: LogFields) => void>;

/** Returns a logger to the error output that leaves out messages less important than `level`. */
export function createLogger(
  terminal: Pick<Terminal, "note" | "paint">,
  { level, format, now = Date.now }: { level: LogLevel; format: LogFormat; now?: () => number },
): Logger {
  const least = LOG_LEVELS.indexOf(level);
  const color = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const;
  const writer = (at: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(at) < least) return;
    terminal.note(
      format === "json"
        ? jsonLine(at, message, fields, now())
        : `${terminal.paint(color[at], at.padEnd(5))} ${message}`,
    );
  };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}

/** Returns a line of the log as JSON. */
export function jsonLine(
  level: LogLevel,
  message: string,
  fields: LogFields,
  nowMs: number,
): string {
  return toJsonLine({ time: new Date(nowMs).toISOString(), level, msg: message, ...fields });
}
