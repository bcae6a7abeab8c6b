import { didYouMean } from "@taskcast/core/protocol";
import type { Environment } from "./layers.ts";
import { isAddressOfService, isOfPlatform } from "./platform_variables.ts";
import { SETTINGS } from "./settings_table.ts";

const PREFIX = "TASKCAST_";

/** Those of commands that speak to a server. */
const OF_CLIENTS = ["TASKCAST_URL", "TASKCAST_TOKEN"];

/** What is wrong with the names of variables. */
export interface VariableFlaws {
  /** Names that are close to one of ours. */
  problems: string[];
  /** Names that begin like ours and are close to none, or begin almost like ours. */
  warnings: string[];
}

/**
 * Looks for variables that begin like ours and are not: whoever misspells one would otherwise start a
 * server without it. Values are not shown, since they may be secrets. An empty variable is none.
 */
export function variableFlaws(env: Environment): VariableFlaws {
  const flaws: VariableFlaws = { problems: [], warnings: [] };
  const known = [...SETTINGS.map(({ env }) => env), ...OF_CLIENTS].filter((name) =>
    name.startsWith(PREFIX)
  );
  const suffixes = known.map((name) => name.slice(PREFIX.length));
  for (const [name, value] of Object.entries(env)) {
    if (!value) continue;
    if (!name.toUpperCase().startsWith(PREFIX)) {
      const meant = suffixes.find((suffix) => isMisspeltPrefix(name, suffix));
      if (meant === undefined || isAddressOfService(name, value)) continue;
      // It may be another program's, so nothing is refused.
      flaws.warnings.push(`${name} has no effect; did you mean ${PREFIX}${meant}?`);
      continue;
    }
    // Of our own tests, which start what is installed with the environment that they have.
    if (known.includes(name) || isOfPlatform(name, value) || /^TASKCAST_TEST_/.test(name)) continue;
    const close = didYouMean(name.slice(PREFIX.length), suffixes);
    if (close === undefined) flaws.warnings.push(`${name} is not known and has no effect`);
    else flaws.problems.push(`${name} is not known; did you mean ${PREFIX}${close}?`);
  }
  return flaws;
}

/** Whether a name ends as one of ours does, and has before that what is almost our prefix. */
function isMisspeltPrefix(name: string, suffix: string): boolean {
  const upper = name.toUpperCase().replaceAll("-", "_");
  if (!upper.endsWith(suffix)) return false;
  const prefix = upper.slice(0, -suffix.length).replaceAll("_", "");
  return isOneSlip(prefix, PREFIX.slice(0, -1));
}

/** Whether two words are the same but for one letter, or two that changed places. */
function isOneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a, b].map((word) => word.slice(start, word.length - end)) as [
    string,
    string,
  ];
  return Math.max(left.length, right.length) <= 1 ||
    left.length === 2 && left === right[1]! + right[0]!;
}
