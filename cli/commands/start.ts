import { TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { createWebhookSender } from "@taskcast/server/webhooks";
import type { Hono } from "hono";
import { listen, onStopSignal } from "../listen.ts";
import { openAdapters } from "../adapters.ts";
import { createErrorLog } from "../error_log.ts";
import { mergeHooks } from "../hooks.ts";
import { createLogger } from "../logger.ts";
import { startReporting } from "../reporting.ts";
import type { StartSettings } from "../settings.ts";
import { SettingsError } from "../settings_error.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";

/** What HS256 wants: https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
const MIN_SECRET_BYTES = 32;

/** How long open requests may take to end when the server stops. */
const DRAIN_MS = 10_000;

/**
 * `taskcast start`: serves until it is told to stop, then lets its clients go on elsewhere.
 *
 * @returns The exit code.
 */
export async function start(settings: StartSettings, terminal: Terminal): Promise<number> {
  const { port, host, auth, storage } = settings;
  const log = createLogger(terminal, settings.logLevel);
  for (const { level, text } of settings.notes) log[level](text);
  const reporting = await startReporting(settings.sentry);
  const { adapters, close: closeAdapters } = await openAdapters(storage.adapters);
  const { defaultRetry, allowPrivate } = settings.webhook;
  const sender = createWebhookSender({ allowPrivate });
  const close = async () => {
    sender.close();
    await closeAdapters();
    await reporting.close();
  };
  const engine = new TaskEngine({
    broadcast: adapters.broadcast,
    shortTermStore: adapters.shortTerm,
    longTermStore: adapters.longTerm,
    limits: settings.limits,
    webhooks: { sender, defaultRetry },
    options: { ...(storage.isPrivate ? { sweepMs: 0 } : {}), ...settings.engine },
    hooks: mergeHooks(
      {
        onTaskCreated: (task) => log.debug(`task ${task.id} created`),
        onTaskTransitioned: (task, from) => log.debug(`task ${task.id}: ${from} → ${task.status}`),
        onUnhandledError: createErrorLog(log),
      },
      reporting.hooks,
      settings.hooks,
    ),
  });
  const closeAll = async () => {
    await engine.close();
    await close();
  };
  const app = await orClose(closeAll, () => createApp(engine, settings));
  const server = await orClose(
    closeAll,
    () => listen((request, info) => app.fetch(request, info), { port, host }),
  );

  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const url = `http://${shown}:${server.port}`;
  terminal.note(
    `${terminal.paint("bold", `Taskcast ${VERSION}`)} listens on ${terminal.paint("cyan", url)}` +
      ` (storage: ${storage.description}, auth: ${auth.mode ?? "none"}); API: ${url}/docs`,
  );
  if (auth.mode === "none" && shown === "localhost" && host !== "localhost") {
    log.warn(
      "auth is off and all interfaces are open: whoever reaches this port may do everything; " +
        "set TASKCAST_AUTH_MODE=jwt, or --host 127.0.0.1",
    );
  }

  const secret = auth.mode === "jwt" ? auth.jwt.secret : undefined;
  if (secret !== undefined && new TextEncoder().encode(secret).length < MIN_SECRET_BYTES) {
    log.warn(
      `${settings.secretName} has fewer than ${MIN_SECRET_BYTES} bytes, so whoever sees a token can ` +
        "guess it; make one with: openssl rand -base64 32",
    );
  }

  const stop = Promise.withResolvers<void>();
  const removeHandlers = onStopSignal((signal) => {
    log.info(`${signal}: ending streams; their clients go on elsewhere`);
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

function createApp(engine: TaskEngine, settings: StartSettings): Hono {
  const { auth, trustedServices, ticketSecret, cors, maxBodyBytes, requestLimits } = settings;
  try {
    return createTaskcastApp({
      engine,
      auth,
      trustedServices,
      ticketSecret,
      cors,
      maxBodyBytes,
      ...requestLimits,
    });
  } catch (error) {
    // What the app says of options that cannot work is meant for whoever configured them.
    throw error instanceof TypeError ? new SettingsError(error.message) : error;
  }
}

/** Gives up what is open when something that needs it fails. */
async function orClose<T>(close: () => Promise<void>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}

async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), limitMs));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
