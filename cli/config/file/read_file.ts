import { extname } from "node:path";
import { loadDefault } from "../../files/load_module.ts";
import { readText } from "../../files/read_text.ts";
import type { Environment } from "../layers.ts";
import { firstLine, SettingsError } from "../settings_error.ts";
import type { FoundFile } from "./find_file.ts";
import type { Interpolated } from "./interpolate.ts";
import { interpolate } from "./interpolate.ts";

/** The content of a configuration file, with its variables replaced but not validated. */
export interface RawConfig extends Interpolated {
  /** The file is YAML or JSON, so it cannot contain functions. */
  isData: boolean;
}

// Parsers are loaded on demand: that of YAML is larger than the rest of the command line.
const readYaml = async (text: string) => (await import("./read_yaml.ts")).readYaml(text);
const readJson = async (text: string) => (await import("./read_json.ts")).readJson(text);

const DATA: Readonly<Record<string, (text: string) => unknown>> = {
  ".yaml": readYaml,
  ".yml": readYaml,
  ".json": readJson,
};

const PROGRAMS: readonly string[] = [".ts", ".js", ".mjs"];

/**
 * Reads a configuration file without validating it.
 *
 * @throws {SettingsError} If it cannot be read.
 */
export async function readConfigFile(
  { path, name }: Pick<FoundFile, "path" | "name">,
  env: Environment,
): Promise<RawConfig> {
  const extension = extname(path);
  if (PROGRAMS.includes(extension)) {
    const value = await reading(name, () => {
      readText(path); // A runtime's own error about a wrong encoding is hard to understand.
      return loadDefault(path);
    });
    return { ...interpolate(value, env), isData: false };
  }
  const parse = DATA[extension];
  if (parse === undefined) {
    const known = [...PROGRAMS, ...Object.keys(DATA)].join(", ");
    throw new SettingsError(`${name}: a configuration file must end with one of ${known}`);
  }
  const parsed = await reading(name, () => parse(readText(path)));
  return { ...interpolate(withoutSchema(parsed), env), isData: true };
}

/** Removes `$schema`, which is for editors. An empty file is an empty configuration. */
function withoutSchema(value: unknown): unknown {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key, part]) => key !== "$schema" || typeof part !== "string"),
  );
}

async function reading<T>(name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${name}: cannot be read: ${oneLine(message)}`);
  }
}

/** Returns a parser's message in one line, with the position that jiti puts on a second line. */
export function oneLine(message: string): string {
  const [, line, column] = /^.*\n\s*\S.*:(\d+):(\d+)\s*$/.exec(message) ?? [];
  const text = firstLine(message).trim();
  return line === undefined ? text : `${text} (line ${line}, column ${column})`;
}
