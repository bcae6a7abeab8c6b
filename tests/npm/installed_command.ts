import assert from "node:assert/strict";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { run } from "../../tools/npm/run.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * Runs black-box tests of this repository with another command in place of its own.
 *
 * @param files Paths in `tests`, without `_test.ts`.
 * @param filter Part of the names of tests to run. @default all
 */
export async function testCommand(
  command: CommandWords,
  files: readonly string[],
  filter = "",
): Promise<void> {
  const paths = files.map((name) => `tests/${name}_test.ts`);
  const options = ["-A", "--no-check", "--parallel", "--filter", filter];
  const output = await run(Deno.execPath(), ["test", ...options, ...paths], {
    cwd: ROOT,
    env: { TASKCAST_TEST_COMMAND: JSON.stringify(command) },
  });
  assert.match(output, /^ok \| [1-9]\d* passed/m);
}
