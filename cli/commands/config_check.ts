import type { Terminal } from "../command_line/terminal.ts";
import { printable } from "../command_line/terminal.ts";
import { effectiveConfig } from "../config/effective.ts";
import type { Environment, StartFlags } from "../config/layers.ts";
import { sourceText } from "../config/layers.ts";
import type { Listed } from "../config/listing.ts";
import { listing } from "../config/listing.ts";
import { SettingsError } from "../config/settings_error.ts";
import { settingsOf } from "../config/start_settings.ts";
import { refusals } from "../server/refusals.ts";

/** Options of `taskcast config check`. */
export interface CheckOptions {
  env: Environment;
  /** The working folder. */
  folder: string;
  /** Writes JSON. */
  json: boolean;
}

/**
 * `taskcast config check`: tells whether `start` would accept the configuration, and shows the values in
 * effect and their sources. Connects to nothing.
 *
 * @returns The exit code.
 */
export async function checkConfig(
  flags: StartFlags,
  { env, folder, json }: CheckOptions,
  terminal: Terminal,
): Promise<number> {
  let effective;
  try {
    effective = await effectiveConfig(flags, env, folder);
    const problems = await refusals(settingsOf(effective, folder));
    if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  } catch (error) {
    if (!json || !(error instanceof SettingsError)) throw error;
    await terminal.out(JSON.stringify({ ok: false, errors: error.message.split("\n") }) + "\n");
    return 1;
  }
  const { file, warnings } = effective;
  const listed = listing(effective);
  if (json) {
    const settings = Object.fromEntries(
      listed.map(({ key, value, source }) => [key, { value, source }]),
    );
    const answer = { ok: true, file: file?.path ?? null, warnings, settings };
    await terminal.out(JSON.stringify(answer, null, 2) + "\n");
    return 0;
  }
  await terminal.out(table(listed, terminal));
  for (const other of file?.others ?? []) {
    terminal.note(`${other} is not read, since ${file!.name} is there`);
  }
  for (const warning of warnings) terminal.note(`${terminal.paint("yellow", "warn")}: ${warning}`);
  terminal.note(
    terminal.paint(
      "green",
      file === undefined ? "No configuration file; all is well" : `${file.name}: all is well`,
    ),
  );
  return 0;
}

/** Formats one line each: key, value, source. */
function table(listed: readonly Listed[], { paintOut }: Terminal): string {
  const rows = listed.map(({ key, value, source }) => ({ key, text: textOf(value), source }));
  const width = (column: "key" | "text", most: number) =>
    Math.min(most, Math.max(...rows.map((row) => row[column].length)));
  const [keys, values] = [width("key", 40), width("text", 60)];
  return rows.map(({ key, text, source }) =>
    `${paintOut("cyan", key.padEnd(keys))}  ${text.padEnd(values)}  ` +
    `${paintOut(source.from === "default" ? "dim" : "bold", sourceText(source))}\n`
  ).join("");
}

function textOf(value: unknown): string {
  if (typeof value === "string" && !/[\s"\p{Cc}]/u.test(value)) return value;
  return printable(JSON.stringify(value));
}
