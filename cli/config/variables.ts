import { didYouMean } from "@taskcast/core/protocol";
import { OF_CLIENTS, PREFIX } from "./client_variables.ts";
import type { Environment } from "./layers.ts";
import { isAddressOfService, isOfPlatform } from "./platform_variables.ts";
import { ENVIRONMENT_KEYS } from "./schema/keys.ts";

/** Problems with the names of variables, one line each. */
export interface VariableFlaws {
  /** Names close to a known one: misspelt. */
  problems: string[];
  /** Unknown names with our prefix, and known names with a misspelt prefix. */
  warnings: string[];
}

/**
 * Finds misspelt variables, without which a server would otherwise start silently. Values are not
 * shown, since they may be secrets; empty variables are ignored.
 */
export function variableFlaws(env: Environment): VariableFlaws {
  const flaws: VariableFlaws = { problems: [], warnings: [] };
  const known = [...ENVIRONMENT_KEYS.map(({ env }) => env), ...OF_CLIENTS].filter((name) =>
    name.startsWith(PREFIX)
  );
  const suffixes = known.map((name) => name.slice(PREFIX.length));
  for (const [name, value] of Object.entries(env)) {
    if (!value) continue;
    if (!name.toUpperCase().startsWith(PREFIX)) {
      const meant = suffixes.find((suffix) => isMisspeltPrefix(name, suffix));
      if (meant === undefined || isAddressOfService(name, value)) continue;
      // It may belong to another program, so it is not refused.
      flaws.warnings.push(`${name} has no effect; did you mean ${PREFIX}${meant}?`);
      continue;
    }
    // TASKCAST_TEST_…: our own tests start installed commands with the environment that they have.
    if (known.includes(name) || isOfPlatform(name, value) || /^TASKCAST_TEST_/.test(name)) continue;
    const close = didYouMean(name.slice(PREFIX.length), suffixes);
    if (close === undefined) flaws.warnings.push(`${name} is not known and has no effect`);
    else flaws.problems.push(`${name} is not known; did you mean ${PREFIX}${close}?`);
  }
  return flaws;
}

/** Returns whether a name has a known suffix after a prefix that is almost ours. */
function isMisspeltPrefix(name: string, suffix: string): boolean {
  const upper = name.toUpperCase().replaceAll("-", "_");
  if (!upper.endsWith(suffix)) return false;
  const prefix = upper.slice(0, -suffix.length).replaceAll("_", "");
  return isOneSlip(prefix, PREFIX.slice(0, -1));
}

/** Returns whether two words differ by at most one letter, or by two that are swapped. */
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
