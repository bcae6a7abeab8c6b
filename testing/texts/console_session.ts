import { startCli } from "../servers/cli.ts";

/** A command of a console block and its documented output. */
export interface Step {
  command: string;
  expected: string;
}

/** Parses a block of `$ command` lines, each followed by its output; `>` continues a command. */
export function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: "" });
    else if (last !== undefined && line.startsWith("> ") && last.expected === "") {
      last.command += "\n" + line.slice(2);
    } else if (last !== undefined) last.expected += line + "\n";
  }
  return steps;
}

/** Returns true if this machine has the programs that sessions use. */
export async function canRunSessions(): Promise<boolean> {
  try {
    const options = { stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command("curl", { args: ["--version"], ...options }).output()).success &&
      (await new Deno.Command("sh", { args: ["-c", "true"], ...options }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a document's console blocks in one shell, against a server of their own. */
export async function runSession(
  steps: readonly Step[],
  env: Record<string, string>,
  check: (step: Step, output: string, code: number) => void,
): Promise<void> {
  await using server = await startCli(["--log-level", "error"], env);
  const bin = await Deno.makeTempDir();
  const cli = new URL("../../cli/mod.ts", import.meta.url).pathname;
  const shim = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet "${cli}" "$@"\n`;
  await Deno.writeTextFile(`${bin}/taskcast`, shim, { mode: 0o755 });
  const shell = new Deno.Command("sh", {
    env: {
      ...env,
      NO_COLOR: "1",
      TASKCAST_LOG_FORMAT: "pretty", // Documents show the output in a terminal.
      PATH: `${bin}:${Deno.env.get("PATH")}`,
      TASKCAST_URL: server.url,
    },
    cwd: bin,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = shell.stdin.getWriter();
  const output = shell.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { host } = new URL(server.url);
  let text = "";
  try {
    for (const step of steps) {
      const marker = `end of step ${crypto.randomUUID()}`;
      const command = step.command.replaceAll("localhost:3721", host);
      await input.write(
        new TextEncoder().encode(`{ ${command}\n} 2>&1 </dev/null\necho; echo "${marker} $?"\n`),
      );
      let end: RegExpExecArray | null = null;
      while ((end = new RegExp(`\\n${marker} (\\d+)\\n`).exec(text)) === null) {
        const { value, done } = await output.read();
        if (done) throw new Error(`the shell ended in: ${step.command}`);
        text += value;
      }
      const written = text.slice(0, end.index).replaceAll(host, "localhost:3721");
      text = text.slice(end.index + end[0].length);
      check(step, written, Number(end[1]));
    }
  } finally {
    await input.close();
    await shell.status;
    await output.cancel();
    await Deno.remove(bin, { recursive: true });
  }
}

/** Returns true if the output is as documented; `…` stands for any text. */
export function agrees(expected: string, output: string): boolean {
  const pattern = expected.trim().split("…").map(escaped).join("[\\s\\S]*?");
  return new RegExp(`^${pattern}$`).test(output.trim());
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
