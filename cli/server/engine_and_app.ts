import type { TaskEngineOptions, WebhookSender } from "@taskcast/core";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { AnsweredRequest } from "@taskcast/server";
import { createTaskcastApp } from "@taskcast/server";
import type { Hono } from "hono";
import { SettingsError } from "../config/settings_error.ts";
import type { StartSettings } from "../config/start_settings.ts";
import type { LoopbackGuard } from "../listen/loopback/guard.ts";
import type { Logger } from "../log/logger.ts";
import { createOriginLog } from "../log/refusal_log.ts";

/** Returns the engine's part of the settings. */
export function engineSettings(
  { limits, cleanup, webhook: { defaultRetry, hooks }, engine, storage }: StartSettings,
  sender: WebhookSender,
): Pick<TaskEngineOptions, "limits" | "cleanup" | "webhooks" | "options"> {
  return {
    limits,
    cleanup,
    webhooks: { sender, defaultRetry, hooks },
    options: { ...(storage.isPrivate ? { sweepMs: 0 } : {}), ...engine },
  };
}

/**
 * Creates the engine.
 *
 * @throws {SettingsError} If its options, which come from the configuration, are invalid.
 */
export function createEngine(options: TaskEngineOptions): TaskEngine {
  try {
    return new TaskEngine(options);
  } catch (error) {
    if (!(error instanceof TaskcastError)) throw error;
    throw new SettingsError(error.message.replace("webhooks.hooks", "webhook.hooks"));
  }
}

/**
 * Creates the app.
 *
 * @throws {SettingsError} If its options, which come from the configuration, are invalid.
 */
export function createApp(
  engine: TaskEngine,
  settings: StartSettings,
  { log, guard }: { log: Logger; guard?: LoopbackGuard },
): Hono {
  const { auth, trustedServices, ticketSecret, maxBodyBytes, bodyTimeoutMs, requestLimits } =
    settings;
  // Pages of this machine, such as those of a development server, have other ports.
  const cors = guard === undefined || settings.cors?.origin === "*" ? settings.cors : {
    ...settings.cors,
    origin: (origin: string) => guard.isAllowedOrigin(origin),
  };
  try {
    return createTaskcastApp({
      engine,
      auth,
      trustedServices,
      providers: settings.storage.providers,
      ticketSecret,
      allowShortSecrets: settings.allowShortSecrets,
      ignoredParameters: settings.ignoredParameters,
      cors,
      maxBodyBytes,
      bodyTimeoutMs,
      onAnswered: settings.logLevel === "debug"
        ? (answered) => logAnswer(log, answered)
        : undefined,
      onOriginRefused: createOriginLog(log),
      ...requestLimits,
    });
  } catch (error) {
    // A TypeError is about options, so it is meant for the author of the configuration.
    throw error instanceof TypeError ? new SettingsError(error.message) : error;
  }
}

/** Writes the access log, without tokens, paths, and query strings, which may contain tokens. */
function logAnswer(log: Logger, answered: AnsweredRequest): void {
  const { requestId, method, route, taskId, status } = answered;
  const durationMs = Math.round(answered.durationMs * 100) / 100;
  const operation = `${method} ${route}`;
  log.debug(`${operation} ${status} in ${durationMs} ms`, {
    requestId,
    taskId,
    operation,
    status,
    durationMs,
  });
}
