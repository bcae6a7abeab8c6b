import type { TaskcastHooks, TaskEngine } from "@taskcast/core";
import { createEngineTracer } from "@taskcast/server";
import { createWebhookSender } from "@taskcast/server/webhooks";
import type { StartSettings } from "../config/start_settings.ts";
import { createErrorLog } from "../log/error_log.ts";
import type { Logger } from "../log/logger.ts";
import { RecoveryLog } from "../log/recovery_log.ts";
import { createEngine, engineSettings } from "./engine_and_app.ts";
import { mergeHooks } from "./merge_hooks.ts";
import { openAdapters } from "./open_adapters.ts";
import { warnOfVolatileRedis } from "./redis_durability.ts";
import { startReporting } from "./reporting.ts";

/** An engine with its stores, webhooks and reports. */
export interface OpenEngine {
  engine: TaskEngine;
  /** Closes the engine, which ends all streams, and then everything that it uses. */
  close(): Promise<void>;
}

/**
 * Opens the stores of a server and starts its engine, which logs and reports its errors.
 *
 * @throws {SettingsError} If something cannot be opened; then nothing stays open.
 */
export async function openEngine(settings: StartSettings, log: Logger): Promise<OpenEngine> {
  const { storage, packageFolders } = settings;
  const reporting = await startReporting(settings.sentry, packageFolders);
  const { adapters, close: closeAdapters } = await openAdapters(storage.adapters, packageFolders);
  await warnOfVolatileRedis(storage.adapters.shortTerm, log);
  const sender = createWebhookSender({ allowPrivate: settings.webhook.allowPrivate });
  const recovery = new RecoveryLog(adapters, { log });
  const closeParts = async () => {
    recovery.close();
    sender.close();
    await closeAdapters();
    await reporting.close();
  };
  const engine = await orClose(closeParts, () =>
    createEngine({
      broadcast: adapters.broadcast,
      shortTermStore: adapters.shortTerm,
      longTermStore: adapters.longTerm,
      tracer: createEngineTracer(),
      ...engineSettings(settings, sender),
      hooks: mergeHooks(
        // Hooks receive copies of tasks, so none is set unless its line would be written.
        settings.logLevel === "debug" ? taskLog(log) : undefined,
        failureLog(log, recovery),
        reporting.hooks,
        settings.hooks,
      ),
    }));
  const close = async () => {
    await engine.close();
    await closeParts();
  };
  return { engine, close };
}

/** Runs the next step of opening; if it fails, closes what is open. */
export async function orClose<T>(
  close: () => Promise<void>,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns hooks that log the creation and the end of tasks. */
function taskLog(log: Logger): TaskcastHooks {
  return {
    onTaskCreated: (task) => log.debug(`task ${task.id} created`, { taskId: task.id }),
    onTaskTransitioned: ({ id, status }, from) =>
      log.debug(`task ${id}: ${from} → ${status}`, { taskId: id, from, taskStatus: status }),
  };
}

/** Returns hooks that log failures that no caller receives. */
function failureLog(log: Logger, recovery: RecoveryLog): TaskcastHooks {
  const logError = createErrorLog(log);
  const logFailedDelivery = createErrorLog({ error: log.warn });
  return {
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
  };
}
