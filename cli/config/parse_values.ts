import { didYouMean } from "@taskcast/core/protocol";
import { SettingsError } from "./settings_error.ts";

// Readers of variables and options. Each throws a SettingsError that begins with the name.

/** Reads a whole number. */
export function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,7}$/.test(text) || value < min || value > max) {
    throw new SettingsError(`${name} must be a number from ${min} to ${max}, and is "${text}"`);
  }
  return value;
}

/** Reads one of a few words. */
export function oneOf(text: string, name: string, words: readonly string[]): string {
  if (words.includes(text)) return text;
  const close = didYouMean(text, words);
  throw new SettingsError(
    `${name} must be one of ${words.join(", ")}, and is "${text}"` +
      (close === undefined ? "" : `; did you mean "${close}"?`),
  );
}

/** Reads `true` or `false`. */
export function trueOrFalse(text: string, name: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new SettingsError(`${name} must be true or false, and is "${text}"`);
}
