import assert from "node:assert/strict";
import { runInProcess } from "../servers/in_process.ts";

/** The output of `taskcast config check --json`. */
export interface ConfigCheck {
  ok: boolean;
  file: string | null;
  warnings: string[];
  errors?: string[];
  settings: Record<string, { value: unknown; source: { from: string; name?: string } }>;
}

/**
 * Runs `taskcast config check` in a folder.
 *
 * @param run Runs it in a process of its own, for programs that read `process.env`.
 */
export async function checkConfig(
  folder: string,
  args: string[] = [],
  env: Record<string, string> = {},
  run: typeof runInProcess = runInProcess,
): Promise<ConfigCheck> {
  // The tests' own log format would take precedence over the file's.
  const all = { TASKCAST_LOG_FORMAT: "", ...env };
  const { out, code } = await run(["config", "check", "--json", ...args], all, folder);
  const answer = JSON.parse(out);
  assert.equal(code, answer.ok ? 0 : 1);
  return answer;
}
