import assert from "node:assert/strict";
import { runCli } from "../servers/cli.ts";

/** What `taskcast config check --json` writes. */
export interface ConfigCheck {
  ok: boolean;
  file: string | null;
  warnings: string[];
  errors?: string[];
  settings: Record<string, { value: unknown; source: { from: string; name?: string } }>;
}

/** Runs `taskcast config check` in a folder. */
export async function checkConfig(
  folder: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<ConfigCheck> {
  // The tests' own format of the log would go before the file's.
  const all = { TASKCAST_LOG_FORMAT: "", ...env };
  const { out, code } = await runCli(["config", "check", "--json", ...args], all, folder);
  const answer = JSON.parse(out);
  assert.equal(code, answer.ok ? 0 : 1);
  return answer;
}
