import { oneOf, trueOrFalse, wholeNumber } from "./parse_values.ts";
import { isOfPlatform } from "./platform_variables.ts";
import type { Environment, Source, StartFlags } from "./layers.ts";
import type { ConfigKey, EnvironmentKey } from "./schema/keys.ts";

/** A value that the command line or the environment sets. */
export interface ExplicitValue {
  key: EnvironmentKey;
  value: unknown;
  source: Source;
}

/**
 * Returns the value that the command line, or else the environment, sets for a key; an empty variable
 * sets none.
 *
 * @throws {SettingsError} If the variable has a value that the key does not accept.
 */
export function explicitValue(
  key: EnvironmentKey,
  flags: StartFlags,
  env: Environment,
): ExplicitValue | undefined {
  if (key.flag !== undefined) {
    const { name, property } = flagNames(key.flag.usage);
    const value = flags[property];
    // The parser sets an option `--no-…` to true if it is not given.
    const isGiven = value !== undefined && !(name.startsWith("--no-") && value === true);
    if (isGiven) {
      const explicit = value === true ? key.flag.bare ?? value : value;
      return { key, value: explicit, source: { from: "flag", name } };
    }
  }
  const text = env[key.env];
  if (text === undefined || text === "" || isOfPlatform(key.env, text)) return undefined;
  return { key, value: parseText(key, text, key.env), source: { from: "env", name: key.env } };
}

/** Returns the long name of an option, and the property under which its parser keeps the value. */
export function flagNames(usage: string): { name: string; property: string } {
  const name = /--[\w-]+/.exec(usage)![0];
  const property = name.replace(/^--(no-)?/, "")
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { name, property };
}

/**
 * Reads the text of a variable or an option as its key's type.
 *
 * @throws {SettingsError} If the key does not accept it.
 */
export function parseText({ parse, unit, schema }: ConfigKey, text: string, name: string): unknown {
  const special = parse?.(text);
  if (special !== undefined) return special;
  if (unit !== undefined) return wholeNumber(text, name, 1, unit.max) * unit.size;
  switch (schema.type) {
    case "number":
      return wholeNumber(text, name, schema.minValue, schema.maxValue);
    case "enum":
      return oneOf(text, name, schema.options as unknown as string[]);
    case "boolean":
      return trueOrFalse(text, name);
    case "array":
      return text.split(",").map((item) => item.trim()).filter(Boolean);
    default:
      return text;
  }
}
