import type { TaskEngine } from "@taskcast/core";
import { inTime } from "@taskcast/core/adapter";
import { onSignals } from "../command_line/signals.ts";
import type { Terminal } from "../command_line/terminal.ts";
import type { StartSettings } from "../config/start_settings.ts";
import type { Listening } from "../listen/contract.ts";
import { listen } from "../listen/listen.ts";
import { LoopbackGuard } from "../listen/loopback/guard.ts";
import type { LogFormat, Logger } from "../log/logger.ts";
import { createLogger, jsonLine, logConsoleAsJson } from "../log/logger.ts";
import { createConnectionLog } from "../log/refusal_log.ts";
import { createApp } from "../server/engine_and_app.ts";
import { openEngine, orClose } from "../server/open_engine.ts";
import { VERSION } from "../version.ts";

/** Milliseconds for open requests to end when the server stops. */
const DRAIN_MS = 10_000;

/** The output of a server. */
interface Output {
  terminal: Terminal;
  logFormat: LogFormat;
}

/**
 * `taskcast start`: serves until a signal stops it, then lets clients continue on other servers.
 *
 * @returns The exit code.
 */
export async function start(settings: StartSettings, output: Output): Promise<number> {
  const { terminal, logFormat } = output;
  const log = createLogger(terminal, { level: settings.logLevel, format: logFormat });
  if (logFormat === "json") logConsoleAsJson(terminal);
  for (const { level, text } of settings.notes) log[level](text);

  const { engine, close } = await openEngine(settings, log);
  const server = await orClose(close, () => serve(engine, settings, log));
  announce(server.port, settings, output);
  warnIfOpen(settings, log);

  await stopSignal(log);
  await engine.close();
  const isDrained = await within(DRAIN_MS, server.shutdown());
  if (!isDrained) log.warn(`requests were still open after ${DRAIN_MS / 1000} s and are cut off`);
  await close();
  return 0;
}

/** Listens for requests to an engine. */
async function serve(engine: TaskEngine, settings: StartSettings, log: Logger): Promise<Listening> {
  const { port, host, listener, cors, connections, loopbackNames } = settings;
  const guard = loopbackNames && new LoopbackGuard({
    allowHosts: loopbackNames,
    corsOrigins: cors?.origin ?? [],
    onRefused: (message) => log.warn(message),
  });
  const app = createApp(engine, settings, { log, guard });
  return await listen(
    guard === undefined
      ? (request, info) => app.fetch(request, info)
      : (request, info) => guard.refusal(request) ?? app.fetch(request, info),
    { port, host },
    { limits: connections, onRefused: createConnectionLog(log, connections.maxConnections) },
    listener,
  );
}

/** Tells the address, at every log level: the person who starts a server needs it. */
function announce(
  port: number,
  { host, storage, auth }: StartSettings,
  { terminal, logFormat }: Output,
): void {
  const shownHost = host === undefined || isOpenHost(host) ? "localhost" : host;
  const url = `http://${shownHost}:${port}`;
  const paint = logFormat === "json" ? (_: unknown, text: string) => text : terminal.paint;
  const facts = { storage: storage.description, auth: auth.mode ?? "none" };
  const message = `${paint("bold", `Taskcast ${VERSION}`)} listens on ${paint("cyan", url)}` +
    ` (storage: ${facts.storage}, auth: ${facts.auth}); API: ${url}/docs`;
  terminal.note(
    logFormat === "json"
      ? jsonLine("info", message, { url, version: VERSION, ...facts }, Date.now())
      : message,
  );
}

function warnIfOpen({ host, auth }: StartSettings, log: Logger): void {
  if (auth.mode !== "none" || !isOpenHost(host)) return;
  log.warn(
    "auth is off and all interfaces are open: everybody who reaches this port can do everything; " +
      "set TASKCAST_AUTH_MODE=jwt, or --host 127.0.0.1",
  );
}

function isOpenHost(host: string | undefined): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Resolves at the first signal to stop; a second one ends the process the usual way. */
function stopSignal(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    const removeHandlers = onSignals(["SIGINT", "SIGTERM"], (signal) => {
      log.info(`${signal}: ending streams; clients reconnect elsewhere`);
      removeHandlers();
      resolve();
    });
  });
}

async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  const late = new Error("not in time");
  try {
    await inTime(work, limitMs, () => late);
    return true;
  } catch (error) {
    if (error === late) return false;
    throw error;
  }
}
