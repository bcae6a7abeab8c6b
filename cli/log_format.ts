import { oneOf } from "./setting_values.ts";
import type { Environment } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** How the log is written: for people, or a JSON object a line. */
export type LogFormat = "pretty" | "json";

/**
 * The format that `TASKCAST_LOG_FORMAT` names, else what suits who reads it: people at a terminal,
 * else programs.
 *
 * @throws {SettingsError} When it names none.
 */
export function logFormatOf(env: Environment, terminal: Pick<Terminal, "isTty">): LogFormat {
  const named = env.TASKCAST_LOG_FORMAT;
  if (named === undefined || named === "") return terminal.isTty ? "pretty" : "json";
  return oneOf(named, "TASKCAST_LOG_FORMAT", ["pretty", "json"]);
}
