import { didYouMean } from "@taskcast/core/protocol";
import { InvalidArgumentError } from "commander";
import { SettingsError } from "./settings_error.ts";

/** Largest memory that can be asked for. */
export const MAX_MEMORY_MIB: number = 1024 * 1024;

/** The highest port. */
export const MAX_PORT = 65_535;

/** Most requests a second, and at once, that a limit can be. */
export const MAX_RATE = 1_000_000;

/** Most open streams that a limit can be. */
export const MAX_STREAMS = 9_999_999;

/** Most proxies that can be trusted. */
export const MAX_HOPS = 10;

/** Reads a whole number of an environment variable or a flag. */
export function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,7}$/.test(text) || value < min || value > max) {
    throw new SettingsError(`${name} must be a number from ${min} to ${max}, and is "${text}"`);
  }
  return value;
}

/** Reads a number for the argument parser. */
function flagParser(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    try {
      return wholeNumber(text, name, min, max);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

/** Reads `--port` for the argument parser. */
export const parsePort: (text: string) => number = flagParser("--port", 0, MAX_PORT);

/** Reads `--max-memory` for the argument parser. */
export const parseMaxMemory: (text: string) => number = flagParser(
  "--max-memory",
  1,
  MAX_MEMORY_MIB,
);

/** Reads the `--limit` of a list for the argument parser. */
export const parseListLimit: (text: string) => number = flagParser("--limit", 1, 100_000);

/** Reads a word that is one of a few. */
export function oneOf<const Word extends string>(
  text: string,
  name: string,
  words: readonly Word[],
): Word {
  const word = words.find((word) => word === text);
  if (word !== undefined) return word;
  const close = didYouMean(text, words);
  throw new SettingsError(
    `${name} must be one of ${words.join(", ")}, and is "${text}"` +
      (close === undefined ? "" : `; did you mean "${close}"?`),
  );
}
