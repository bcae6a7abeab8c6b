// Runs tasks of deno.json, three at a time, each to its end, and reports failures and durations. A
// single task leaves processors idle while it waits for a server or checks types.

/** Number of concurrent tasks. */
const AT_A_TIME = 3;

const names = [...Deno.args];
const failed: string[] = [];

async function runTask(name: string): Promise<void> {
  const startMs = performance.now();
  console.log(`[${name}] starts`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name],
    cwd: new URL("../", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ success }] = await Promise.all([
    child.status,
    showLines(name, child.stdout),
    showLines(name, child.stderr),
  ]);
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  console.log(`[${name}] ${success ? "ok" : "FAILED"} (${seconds} s)`);
  if (!success) failed.push(name);
}

/** Prints each line with the name of its task as it arrives. */
async function showLines(name: string, output: ReadableStream<Uint8Array>): Promise<void> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) console.log(`[${name}] ${line}`);
  }
  if (rest !== "") console.log(`[${name}] ${rest}`);
}

async function runNext(): Promise<void> {
  for (let name = names.shift(); name !== undefined; name = names.shift()) await runTask(name);
}

await Promise.all(Array.from({ length: AT_A_TIME }, runNext));
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  Deno.exit(1);
}
