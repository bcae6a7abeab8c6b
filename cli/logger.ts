import type { LogLevel } from "./settings.ts";
import { LOG_LEVELS } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** Writes messages for operators, a line each. */
export type Logger = Record<LogLevel, (message: string) => void>;

/** A logger to the terminal's error output that leaves out what is less important than `level`. */
export function createLogger(terminal: Terminal, level: LogLevel): Logger {
  const least = LOG_LEVELS.indexOf(level);
  const color = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const;
  const writer = (at: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(at) < least) return;
    terminal.note(`${terminal.paint(color[at], at.padEnd(5))} ${message}`);
  };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}
