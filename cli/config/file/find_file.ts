import { statSync } from "node:fs";
import { resolve } from "node:path";
import { SettingsError } from "../settings_error.ts";

/** Names of the configuration file, in order of preference. */
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
  /** Absolute path. */
  path: string;
  /** Name in messages. */
  name: string;
  /** Other configuration files in the folder, which are not read. */
  others: string[];
}

/**
 * Returns the configuration file: the named one, else the first that exists.
 *
 * @throws {SettingsError} If the named one does not exist.
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
