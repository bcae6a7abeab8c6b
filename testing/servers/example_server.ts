import { cli, type CliProcess, type CommandWords } from "./cli.ts";
import { freePort } from "../network/free_port.ts";
import { until } from "../sse/sse.ts";

/** A program that serves on the port in the variable `PORT`. */
export interface ExampleServer {
  command: CommandWords;
  folder: string | URL;
  /** Path that answers with 200 once it serves. @default {"/"} */
  health?: string;
  /** Signal that stops it. @default {"SIGTERM"} */
  signal?: Deno.Signal;
}

/**
 * Runs a server on a free port until `use` is done, and then stops it if it still runs.
 *
 * @returns Its exit code.
 */
export async function withExampleServer(
  { command, folder, health = "/", signal = "SIGTERM" }: ExampleServer,
  use: (url: string, child: CliProcess) => Promise<void>,
): Promise<number> {
  const port = freePort();
  await using child = cli([], { PORT: String(port) }, folder, command);
  let ended = false;
  void child.ended.then(() => ended = true);
  const url = `http://127.0.0.1:${port}`;
  const name = command.join(" ");
  await until(async () => {
    if (ended) throw new Error(`${name} has ended: ${child.err}`);
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(url + health, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok === true;
  }, `${name} serves`);
  await use(url, child);
  if (!ended) child.kill(signal);
  return await child.ended;
}
