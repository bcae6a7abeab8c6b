import type { TaskcastHooks } from "@taskcast/core";
import { startTimer } from "@taskcast/core/protocol";
import { createEngineTracer } from "@taskcast/server";
import { createWebhookSender } from "@taskcast/server/webhooks";
import { createApp, createEngine, engineSettings } from "../server/engine_and_app.ts";
import { onSignals } from "../command_line/signals.ts";
import { listen } from "../listen/listen.ts";
import { openAdapters } from "../server/open_adapters.ts";
import { createErrorLog } from "../log/error_log.ts";
import { mergeHooks } from "../server/merge_hooks.ts";
import { LoopbackGuard } from "../listen/loopback/guard.ts";
import type { LogFormat, Logger } from "../log/logger.ts";
import { createLogger, jsonLine, logConsoleAsJson } from "../log/logger.ts";
import { createConnectionLog } from "../log/refusal_log.ts";
import { RecoveryLog } from "../log/recovery_log.ts";
import { warnOfVolatileRedis } from "../server/redis_durability.ts";
import { startReporting } from "../server/reporting.ts";
import type { StartSettings } from "../config/start_settings.ts";
import type { Terminal } from "../command_line/terminal.ts";
import { VERSION } from "../version.ts";

/** Milliseconds for open requests to end when the server stops. */
const DRAIN_MS = 10_000;

/**
 * `taskcast start`: serves until a signal stops it, then lets clients continue on other servers.
 *
 * @returns The exit code.
 */
export async function start(
  settings: StartSettings,
  { terminal, logFormat }: { terminal: Terminal; logFormat: LogFormat },
): Promise<number> {
  const { port, host, listener, auth, storage, packageFolders, cors } = settings;
  const log = createLogger(terminal, { level: settings.logLevel, format: logFormat });
  if (logFormat === "json") logConsoleAsJson(terminal);
  for (const { level, text } of settings.notes) log[level](text);
  const reporting = await startReporting(settings.sentry, packageFolders);
  const { adapters, close: closeAdapters } = await openAdapters(storage.adapters, packageFolders);
  await warnOfVolatileRedis(storage.adapters.shortTerm, log);
  const sender = createWebhookSender({ allowPrivate: settings.webhook.allowPrivate });
  const recovery = new RecoveryLog(adapters, { log });
  const logError = createErrorLog(log);
  const logFailedDelivery = createErrorLog({ error: log.warn });
  const close = async () => {
    recovery.close();
    sender.close();
    await closeAdapters();
    await reporting.close();
  };
  const engine = await orClose(close, () =>
    createEngine({
      broadcast: adapters.broadcast,
      shortTermStore: adapters.shortTerm,
      longTermStore: adapters.longTerm,
      tracer: createEngineTracer(),
      ...engineSettings(settings, sender),
      hooks: mergeHooks(
        // Hooks receive copies of tasks, so none is set unless its line would be written.
        settings.logLevel === "debug" ? taskLog(log) : undefined,
        {
          onWebhookFailed({ id }, { hook, error }) {
            logFailedDelivery(error, {
              operation: `webhook ${hook} failed to deliver an event`,
              taskId: id,
            });
          },
          onUnhandledError(error, context) {
            logError(error, context);
            recovery.onError();
          },
        },
        reporting.hooks,
        settings.hooks,
      ),
    }));
  const closeAll = async () => {
    await engine.close();
    await close();
  };
  const guard = settings.loopbackNames && new LoopbackGuard({
    allowHosts: settings.loopbackNames,
    corsOrigins: cors?.origin ?? [],
    onRefused: (message) => log.warn(message),
  });
  const app = await orClose(closeAll, () => createApp(engine, settings, { log, guard }));
  const server = await orClose(
    closeAll,
    () =>
      listen(
        guard === undefined
          ? (request, info) => app.fetch(request, info)
          : (request, info) => guard.refusal(request) ?? app.fetch(request, info),
        { port, host },
        {
          limits: settings.connections,
          onRefused: createConnectionLog(log, settings.connections.maxConnections),
        },
        listener,
      ),
  );

  const isOpen = host === "0.0.0.0" || host === "::";
  const shown = host === undefined || isOpen ? "localhost" : host;
  const url = `http://${shown}:${server.port}`;
  const paint = logFormat === "json" ? (_: unknown, text: string) => text : terminal.paint;
  const about = { storage: storage.description, auth: auth.mode ?? "none" };
  const started = `${paint("bold", `Taskcast ${VERSION}`)} listens on ${paint("cyan", url)}` +
    ` (storage: ${about.storage}, auth: ${about.auth}); API: ${url}/docs`;
  // At every level: the address is what the person who starts a server needs.
  terminal.note(
    logFormat === "json"
      ? jsonLine("info", started, { url, version: VERSION, ...about }, Date.now())
      : started,
  );
  if (auth.mode === "none" && isOpen) {
    log.warn(
      "auth is off and all interfaces are open: everybody who reaches this port can do everything; " +
        "set TASKCAST_AUTH_MODE=jwt, or --host 127.0.0.1",
    );
  }
  const stop = Promise.withResolvers<void>();
  const removeHandlers = onSignals(["SIGINT", "SIGTERM"], (signal) => {
    log.info(`${signal}: ending streams; clients reconnect elsewhere`);
    stop.resolve();
    removeHandlers(); // A second signal ends the process the usual way.
  });
  await stop.promise;
  await engine.close();
  const drained = await within(DRAIN_MS, server.shutdown());
  if (!drained) log.warn(`requests were still open after ${DRAIN_MS / 1000} s and are cut off`);
  await close();
  return 0;
}

/** Returns hooks that log the life of tasks. */
function taskLog(log: Logger): TaskcastHooks {
  return {
    onTaskCreated: (task) => log.debug(`task ${task.id} created`, { taskId: task.id }),
    onTaskTransitioned: ({ id, status }, from) =>
      log.debug(`task ${id}: ${from} → ${status}`, { taskId: id, from, taskStatus: status }),
  };
}

/** Closes what is open if the next step fails. */
async function orClose<T>(close: () => Promise<void>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}

async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const forgetTimer = startTimer(limitMs, () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    forgetTimer();
  }
}
