import { didYouMean } from "@taskcast/core/protocol";
import type { Environment } from "../settings.ts";
import { isOfPlatform } from "./platform_variables.ts";
import { SETTINGS } from "./settings_table.ts";

const PREFIX = "TASKCAST_";

/** Those of commands that speak to a server. */
const OF_CLIENTS = ["TASKCAST_URL", "TASKCAST_TOKEN"];

/** What is wrong with the names of variables. */
export interface VariableFlaws {
  /** Names that are close to one of ours. */
  problems: string[];
  /** Names that are not. */
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
    if (!name.toUpperCase().startsWith(PREFIX) || !value) continue;
    // Of our own tests, which start what is installed with the environment that they have.
    if (known.includes(name) || isOfPlatform(name, value) || /^TASKCAST_TEST_/.test(name)) continue;
    const close = didYouMean(name.slice(PREFIX.length), suffixes);
    if (close === undefined) flaws.warnings.push(`${name} is not known and has no effect`);
    else flaws.problems.push(`${name} is not known; did you mean ${PREFIX}${close}?`);
  }
  return flaws;
}
