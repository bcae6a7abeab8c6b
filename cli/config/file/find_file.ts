import { statSync } from "node:fs";
import { resolve } from "node:path";
import { SettingsError } from "../settings_error.ts";

/** The names that are looked for, the first before the others. */
export const CONFIG_FILES = [
  "taskcast.config.ts",
  "taskcast.config.js",
  "taskcast.config.mjs",
  "taskcast.config.yaml",
  "taskcast.config.yml",
  "taskcast.config.json",
] as const;

/** The configuration file to read. */
export interface FoundFile {
  /** Where it is. */
  path: string;
  /** As it is called in messages. */
  name: string;
  /** Others in the same folder, which are not read. */
  others: string[];
}

/**
 * Finds the configuration file: the one that is named, else the first there is.
 *
 * @throws {SettingsError} If one is named that is not there.
 */
export function findConfigFile(named: string | undefined, folder: string): FoundFile | undefined {
  if (named !== undefined) {
    const path = resolve(folder, named);
    if (!isFile(path)) throw new SettingsError(`There is no configuration file ${named}`);
    return { path, name: named, others: [] };
  }
  const [name, ...others] = CONFIG_FILES.filter((name) => isFile(resolve(folder, name)));
  return name === undefined ? undefined : { path: resolve(folder, name), name, others };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
