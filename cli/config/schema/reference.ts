import { flagNames } from "../explicit.ts";
import { CONFIG_KEYS, type ConfigKey } from "./keys.ts";
import { unwrapped } from "./walk.ts";
import { expectedBy } from "./wording.ts";

/** Returns the reference of all keys, as a table in Markdown. */
export function keysTable(): string {
  const lines = [
    ["Key", "Type", "Default", "Environment, option", "Meaning"],
    Array(5).fill("---"),
    ...CONFIG_KEYS.map(rowOf),
  ];
  return lines.map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`
  ).join("");
}

function rowOf(key: ConfigKey): string[] {
  const { path, provider, schema, env, envNote, flag, text } = key;
  const type = schema.type === "record"
    ? `by name, ${expectedBy(unwrapped(schema.valueType))}`
    : expectedBy(schema);
  return [
    `\`${path}\`${provider === undefined ? "" : ` (${provider})`}`,
    type,
    key.default === undefined ? key.defaultText ?? "" : `\`${key.default}\``,
    [env, flag && flagNames(flag.usage).name].filter((name) => name !== undefined)
      .map((name) => `\`${name}\``).join(", "),
    envNote === undefined ? text : `${text}; ${envNote}`,
  ];
}
