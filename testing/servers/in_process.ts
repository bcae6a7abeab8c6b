import type { Terminal } from "../../cli/command_line/terminal.ts";
import { runCommandLine } from "../../cli/command_line/program.ts";
import { ELSEWHERE, runCli } from "./cli.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * Runs a command line in this process, for commands that end by themselves. That is tens of times
 * faster than a process. Tests of another runtime use its process all the same.
 *
 * @param env The whole environment of the command.
 */
export async function runInProcess(
  args: string[],
  env: Record<string, string> = {},
  folder: string = ROOT,
): Promise<{ code: number; out: string; err: string }> {
  if (ELSEWHERE) return await runCli(args, env, folder);
  const written = { out: "", err: "" };
  const decoder = new TextDecoder();
  const writer = (name: keyof typeof written) => (text: string | Uint8Array): Promise<void> => {
    written[name] += typeof text === "string" ? text : decoder.decode(text);
    return Promise.resolve();
  };
  const terminal: Terminal = {
    isTty: false,
    out: writer("out"),
    err: writer("err"),
    note: (line) => void (written.err += line + "\n"),
    paint: (_style, text) => text,
    paintOut: (_style, text) => text,
  };
  const code = await runCommandLine(args, {
    terminal,
    env: { TASKCAST_LOG_FORMAT: "pretty", ...env },
    folder,
  });
  return { code, ...written };
}
