import type { EventEnvelope } from "@taskcast/client";
import { TaskcastClient } from "@taskcast/client";
import { accumulatedValue, DEFAULT_ACC_FIELD, toJsonLine } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";
import { printable } from "../command_line/terminal.ts";

/** Options of `taskcast logs`. */
export interface LogsOptions {
  /** Address of the server. */
  url: string;
  token?: string;
  taskId: string;
  /** Continues until the task ends. */
  follow: boolean;
  /** Writes each event as a line of JSON. */
  json: boolean;
}

/** The members that events of the history and of the stream have in common. */
type Shown = Pick<
  EventEnvelope,
  "type" | "level" | "data" | "timestamp" | "seriesId" | "seriesMode" | "seriesAccField"
>;

/**
 * `taskcast logs`: shows a task's events as they were published. The texts of accumulate series are
 * written unchanged, those of a series called `stderr` to the error output; other events get one line
 * each.
 *
 * @returns The exit code.
 */
export async function logs(options: LogsOptions, terminal: Terminal): Promise<number> {
  const { url, token, taskId, follow, json } = options;
  const client = new TaskcastClient({ baseUrl: url, token });
  const printer = new Printer(terminal);
  const show = (event: Shown) =>
    json ? terminal.out(toJsonLine(event) + "\n") : printer.print(event);

  if (!follow) {
    for await (const event of client.history(taskId)) await show(event);
    await printer.endLine();
    return 0;
  }
  // The stream itself would wait for a server that does not exist.
  await (await fetch(`${url}/health`)).body?.cancel();
  const stream = client.stream(taskId, {
    since: { timestamp: 0 }, // As it was published: without a cursor, series would come folded.
    onReconnect: (error, delayMs) =>
      terminal.note(terminal.paint(
        "yellow",
        `taskcast: connection lost (${(error as Error).message}); again in ${
          Math.round(delayMs)
        } ms`,
      )),
  });
  for await (const event of stream) await show(event);
  await printer.endLine();
  terminal.note(terminal.paint("dim", `taskcast: task ${taskId} ended: ${stream.reason}`));
  return 0;
}

class Printer {
  readonly #terminal: Terminal;
  /** The last text did not end its line. */
  #inLine = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async print(event: Shown): Promise<void> {
    const { type, level, data, timestamp, seriesId, seriesMode, seriesAccField } = event;
    const text = seriesMode === "accumulate"
      ? accumulatedValue(data, seriesAccField ?? DEFAULT_ACC_FIELD)
      : undefined;
    if (typeof text === "string") {
      this.#inLine = text === "" ? this.#inLine : !text.endsWith("\n");
      await (seriesId === "stderr" ? this.#terminal.err(text) : this.#terminal.out(text));
      return;
    }
    await this.endLine();
    const time = new Date(timestamp).toISOString().slice(11, 23);
    const color = level === "error" ? "red" : level === "warn" ? "yellow" : "cyan";
    const { paint } = this.#terminal;
    const shown = `${paint(color, printable(type))} ${printable(JSON.stringify(data))}`;
    this.#terminal.note(`${paint("dim", time)} ${shown}`);
  }

  /** Ends a line of text, so that a remark begins on its own. */
  async endLine(): Promise<void> {
    if (!this.#inLine) return;
    this.#inLine = false;
    await this.#terminal.err("\n");
  }
}
