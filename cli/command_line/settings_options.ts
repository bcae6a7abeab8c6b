import { notOneOf } from "@taskcast/core/protocol";
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { flagNames, parseText } from "../config/explicit.ts";
import { CONFIG_KEYS, type ConfigKey, ENVIRONMENT_KEYS } from "../config/schema/keys.ts";
import { configOption, orInvalid } from "./options.ts";

// Options that come from the schema of the configuration. Loading it takes most of a start, so only
// commands that read a server's settings import this module.

/** Adds the options of `start`, and of `config check`, which tells what they would do. */
export function addStartOptions(command: Command): Command {
  addStorageOptions(command);
  for (const key of CONFIG_KEYS) {
    if (key.flag !== undefined && !isStorageKey(key)) command.addOption(optionOf(key));
  }
  return command.addHelpText("after", environmentHelp);
}

/** Adds the options that say where tasks are stored, and that name a configuration. */
export function addStorageOptions(command: Command): Command {
  command.addOption(configOption());
  for (const key of CONFIG_KEYS) {
    if (key.flag !== undefined && isStorageKey(key)) command.addOption(optionOf(key));
  }
  return command;
}

/** Returns the option of a key, with its variable and its default in the help text. */
export function optionOf({ flag, ...key }: ConfigKey): Option {
  const { usage, help = lowerCased(key.text), isList } = flag!;
  const { name } = flagNames(usage);
  const type = key.schema.type;
  const facts = [`env: ${key.env}`, ...usualValue(key)];
  const option = new Option(usage, `${help} (${facts.join(", ")})`);
  if (type === "enum") {
    const words = key.schema.options as unknown as string[];
    return option.choices(words).argParser((text: string) => {
      if (words.includes(text)) return text;
      throw new InvalidArgumentError(`It ${notOneOf(text, words)}`);
    });
  }
  if (type === "number") {
    return option.argParser((text) => orInvalid(() => parseText(key, text, name)));
  }
  if (isList) {
    return option.argParser((text: string, before?: string) =>
      before === undefined ? text : `${before},${text}`
    );
  }
  return option;
}

/** Memory belongs to one server, so no command but `start` can name it. */
function isStorageKey({ path, provider }: ConfigKey): boolean {
  return path.startsWith("adapters.") && provider !== "memory";
}

function usualValue({ default: value, defaultText, unit }: Omit<ConfigKey, "flag">): string[] {
  if (unit !== undefined || typeof value === "boolean") return []; // The help text contains it.
  const usual = value ?? defaultText?.replaceAll("`", "");
  return usual === undefined ? [] : [`default: ${usual}`];
}

function lowerCased(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}

/** Returns the help on settings that have a variable but no option. */
function environmentHelp(): string {
  const keys = ENVIRONMENT_KEYS.filter(({ flag }) => flag === undefined);
  const width = Math.max(...keys.map(({ env }) => env.length));
  const lines = keys.map(({ path, env, envNote, text, schema, default: value, defaultText }) => {
    const words = schema.type === "enum" ? [`one of ${schema.options.join(", ")}`] : [];
    const usual = value ?? defaultText;
    const facts = [
      `file: ${path}`,
      ...words,
      ...(usual === undefined ? [] : [`default: ${usual}`]),
    ];
    const meaning = envNote === undefined ? text : `${text}; ${envNote}`;
    return `  ${env.padEnd(width)}  ${`${meaning} (${facts.join("; ")})`.replaceAll("`", "")}\n`;
  });
  return `\nEnvironment variables without an option:\n${lines.join("")}`.trimEnd();
}
