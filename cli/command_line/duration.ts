import { InvalidArgumentError } from "commander";

const SECONDS_OF = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Longer is no development token: ten years. */
const MAX_SECONDS = 3_650 * SECONDS_OF.d;

/** Reads a duration such as `90s`, `15m`, `1h` or `7d` into seconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS_OF[unit as keyof typeof SECONDS_OF];
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`It must be a duration such as 90s, 15m, 1h or 7d.`);
}
