import { extname } from "node:path";
import { readText } from "../../files/read_text.ts";
import type { Environment } from "../layers.ts";
import { SettingsError } from "../settings_error.ts";
import type { FoundFile } from "./find_file.ts";
import { interpolate } from "./interpolate.ts";
import { oneLine } from "./one_line.ts";
import { readJson } from "./read_json.ts";
import { readModule } from "./read_module.ts";
import type { RawConfig } from "./validate.ts";

/** The parser of YAML is larger than all of the command line, and few starts want it. */
const readYaml = async (text: string) => (await import("./read_yaml.ts")).readYaml(text);

const DATA: Readonly<Record<string, (text: string) => unknown>> = {
  ".yaml": readYaml,
  ".yml": readYaml,
  ".json": readJson,
};

const PROGRAMS: readonly string[] = [".ts", ".js", ".mjs"];

/**
 * Reads a configuration file. What it says is not checked yet.
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
      readText(path); // What a runtime says of a program in another encoding helps nobody.
      return readModule(path);
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

/** An empty file is an empty configuration. `$schema` is for editors. */
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
