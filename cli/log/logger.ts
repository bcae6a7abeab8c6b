import { format } from "node:util";
import type { Level } from "@taskcast/core/protocol";
import { LEVELS, toJsonLine } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";

/** Log formats. */
export const LOG_FORMATS = ["pretty", "json"] as const;

/** A log format: for people, or one JSON object a line. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Facts about a message for programs: `requestId`, `taskId`, `operation`, `status`, … */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line per message for operators. The message contains everything that people need. */
export type Logger = Record<Level, (message: string, fields?: LogFields) => void>;

/** Returns the named format, else the one for the reader: people at a terminal, otherwise programs. */
export function logFormatOf(
  named: string | undefined,
  terminal: Pick<Terminal, "isTty">,
): LogFormat {
  return LOG_FORMATS.find((format) => format === named) ?? (terminal.isTty ? "pretty" : "json");
}

/** Returns a logger to the error output that leaves out messages less important than `level`. */
export function createLogger(
  terminal: Pick<Terminal, "note" | "paint">,
  { level, format, now = Date.now }: { level: Level; format: LogFormat; now?: () => number },
): Logger {
  const least = LEVELS.indexOf(level);
  const color = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const;
  const writer = (at: Level) => (message: string, fields: LogFields = {}) => {
    if (LEVELS.indexOf(at) < least) return;
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
  level: Level,
  message: string,
  fields: LogFields,
  nowMs: number,
): string {
  return toJsonLine({ time: new Date(nowMs).toISOString(), level, msg: message, ...fields });
}

/** Methods of `console` that write to the error output, and the level of what they write. */
const CONSOLE_LEVELS = { warn: "warn", error: "error", trace: "debug" } as const;

/**
 * Turns what libraries write to the error output by `console` into JSON lines, since a program that
 * reads the log would stumble over other lines. Nothing is left out.
 */
export function logConsoleAsJson(terminal: Pick<Terminal, "note">): void {
  for (const [name, level] of Object.entries(CONSOLE_LEVELS)) {
    console[name as keyof typeof CONSOLE_LEVELS] = (...values: unknown[]) => {
      terminal.note(jsonLine(level, format(...values), {}, Date.now()));
    };
  }
}
