import { TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import type { Listening } from "../listen.ts";
import { listen, onStopSignal } from "../listen.ts";
import { openAdapters } from "../adapters.ts";
import { createErrorLog } from "../error_log.ts";
import { createLogger } from "../logger.ts";
import type { StartSettings } from "../settings.ts";
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
  const { port, host, auth, cors } = settings;
  const log = createLogger(terminal, settings.logLevel);
  const { storage } = settings;
  const { adapters, close } = await openAdapters(storage.adapters);
  const engine = new TaskEngine({
    broadcast: adapters.broadcast,
    shortTermStore: adapters.shortTerm,
    longTermStore: adapters.longTerm,
    options: storage.isPrivate ? { sweepMs: 0 } : {},
    hooks: {
      onTaskCreated: (task) => log.debug(`task ${task.id} created`),
      onTaskTransitioned: (task, from) => log.debug(`task ${task.id}: ${from} → ${task.status}`),
      onUnhandledError: createErrorLog(log),
    },
  });
  const app = createTaskcastApp({
    engine,
    auth: auth.mode === "jwt"
      ? { mode: "jwt", jwt: { algorithm: auth.algorithm, secret: auth.secret } }
      : { mode: "none" },
    cors: cors === undefined ? undefined : { origin: cors === "*" ? "*" : cors.split(",") },
  });
  let server: Listening;
  try {
    server = await listen((request) => app.fetch(request), { port, host });
  } catch (error) {
    await engine.close();
    await close();
    throw error;
  }

  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const url = `http://${shown}:${server.port}`;
  terminal.note(
    `${terminal.paint("bold", `Taskcast ${VERSION}`)} listens on ${terminal.paint("cyan", url)}` +
      ` (storage: ${storage.description}, auth: ${auth.mode}); API: ${url}/docs`,
  );
  if (auth.mode === "none" && shown === "localhost" && host !== "localhost") {
    log.warn(
      "auth is off and all interfaces are open: whoever reaches this port may do everything; " +
        "set TASKCAST_AUTH_MODE=jwt, or --host 127.0.0.1",
    );
  }

  if (auth.mode === "jwt" && new TextEncoder().encode(auth.secret).length < MIN_SECRET_BYTES) {
    log.warn(
      `TASKCAST_JWT_SECRET has fewer than ${MIN_SECRET_BYTES} bytes, so whoever sees a token can ` +
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

async function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), limitMs));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
