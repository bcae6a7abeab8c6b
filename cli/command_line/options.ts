import { MAX_GRACE_MS } from "@taskcast/core/protocol";
import { InvalidArgumentError, Option } from "commander";
import { flagNames } from "../config/explicit.ts";
import { CONFIG_FILES } from "../config/file/find_file.ts";
import { wholeNumber } from "../config/parse_values.ts";

/** Returns the option `--config`. */
export function configOption(): Option {
  return new Option(
    "-c, --config <file>",
    `configuration file (default: the first of ${CONFIG_FILES.join(", ")} that exists)`,
  );
}

/** Returns an option for a whole number. */
export function numberOption(usage: string, description: string, max: number): Option {
  const { name } = flagNames(usage);
  return new Option(usage, description)
    .argParser((text) => orInvalid(() => wholeNumber(text, name, 1, max)));
}

/** Turns an error of parsing a value into an error of the command line. */
export function orInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const SECONDS_OF = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Ten years, which is more than enough for trying things out. */
const MAX_SECONDS = 3_650 * SECONDS_OF.d;

/** Reads a duration such as `90s`, `15m`, `1h` or `7d` as seconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS_OF[unit as keyof typeof SECONDS_OF];
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`It must be a duration such as 90s, 15m, 1h or 7d.`);
}

/** Reads a duration of at most ten minutes as seconds; `0s` is allowed. */
export function parseGrace(text: string): number {
  const seconds = /^0[smhd]?$/.test(text) ? 0 : parseDuration(text);
  if (seconds <= MAX_GRACE_MS / 1_000) return seconds;
  throw new InvalidArgumentError(`It must be at most ${MAX_GRACE_MS / 60_000}m.`);
}
