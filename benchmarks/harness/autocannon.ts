import type { RequestLoad, RequestLoadResult } from "./request_load.ts";

/**
 * Loads with https://github.com/mcollina/autocannon. Without the lock file: what only some load with
 * is not in it.
 */
export async function loadByAutocannon(load: RequestLoad): Promise<RequestLoadResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--quiet", "autocannon_process.ts"],
    cwd: new URL("./", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(JSON.stringify(load)));
  await input.close();
  const text = new TextDecoder().decode((await child.output()).stdout);
  const line = /^RESULT (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`autocannon failed: ${text}`);
  return JSON.parse(line);
}
