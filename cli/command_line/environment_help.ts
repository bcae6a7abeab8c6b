import { documentedKeys } from "../config/schema/reference.ts";

/** What only the environment and the file can say, for the help of commands that start a server. */
export function environmentHelp(): string {
  const keys = documentedKeys().filter(({ env, flag }) => env !== undefined && flag === undefined);
  const width = Math.max(...keys.map(({ env }) => env!.length));
  const lines = keys.map(({ key, env, text, type, default: value }) => {
    const words = type.startsWith("one of ") ? type : undefined;
    const usual = value === undefined ? undefined : `default: ${value}`;
    const more = [`file: ${key}`, words, usual].filter((part) => part !== undefined).join("; ");
    return `  ${env!.padEnd(width)}  ${text.replaceAll("`", "")} (${more})\n`;
  });
  return `\nEnvironment variables without an option:\n${lines.join("")}`.trimEnd();
}
