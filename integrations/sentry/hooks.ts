import type { TaskcastHooks } from "@taskcast/core";
import { Reporter } from "./reporter.ts";
import { failureReport, timeoutReport, unhandledReport } from "./reports.ts";
import { currentSentry, type SentrySdk } from "./sdk.ts";

/** Options for {@linkcode createSentryHooks}. */
export interface SentryHooksOptions {
  /** Reports tasks that became `failed`, as errors. @default {true} */
  captureTaskFailures?: boolean;
  /** Reports tasks that became `timeout`, as warnings. @default {true} */
  captureTaskTimeouts?: boolean;
  /**
   * Reports errors that reach no caller. If this is off, or if Sentry does not accept a report, they
   * are logged to the console as without hooks. @default {true}
   */
  captureUnhandledErrors?: boolean;
  /**
   * The SDK, as in `import * as Sentry from "@sentry/node"`. @default the one that is initialised
   * in this process
   */
  sentry?: SentrySdk;
  /**
   * Adds params, result, metadata and error details to reports of tasks, each cut to the first 4000
   * characters of its JSON. They may contain personal data. @default {false}
   */
  includePayloads?: boolean;
}

/**
 * Returns hooks that report to Sentry. Call `Sentry.init()` first.
 *
 * Failures are grouped by the task's type and the error's code, timeouts by the task's type. Reports
 * of tasks have the tags `taskcast.task_id`, `taskcast.task_type` and `taskcast.status`. Reports of
 * other errors have `taskcast.operation`, and `requestId` if they come from an HTTP request. A
 * failure is reported with its code and message. Contents that users put into a task are never sent,
 * unless `includePayloads` is set.
 *
 * The hooks never throw and never wait. If Sentry has no DSN, refuses a report or cannot be reached,
 * `console.warn` is called once for each of these reasons.
 *
 * @throws {Error} If no Sentry SDK is initialised in this process and none is given.
 * @throws {TypeError} If an option has the wrong type.
 *
 * @example
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createSentryHooks } from "@taskcast/sentry";
 * import * as Sentry from "@sentry/node";
 *
 * function createEngine(dsn: string): TaskEngine {
 *   Sentry.init({ dsn });
 *   return new TaskEngine({
 *     broadcast: new MemoryBroadcastProvider(),
 *     shortTermStore: new MemoryShortTermStore(),
 *     hooks: createSentryHooks({ captureTaskTimeouts: false }),
 *   });
 * }
 * ```
 */
export function createSentryHooks(options: SentryHooksOptions = {}): TaskcastHooks {
  const {
    captureTaskFailures = true,
    captureTaskTimeouts = true,
    captureUnhandledErrors = true,
    includePayloads = false,
    sentry,
  } = options;
  const flags = { captureTaskFailures, captureTaskTimeouts, captureUnhandledErrors };
  for (const [name, value] of Object.entries({ ...flags, includePayloads })) {
    if (typeof value !== "boolean") {
      throw new TypeError(`createSentryHooks(): "${name}" must be true or false`);
    }
  }
  if (sentry !== undefined && typeof sentry?.captureException !== "function") {
    throw new TypeError(
      'createSentryHooks(): "sentry" must be an SDK, such as the namespace of @sentry/node',
    );
  }
  if (!Object.values(flags).includes(true)) return {};
  if (sentry === undefined && currentSentry() === undefined) {
    throw new Error(
      "Cannot create Sentry hooks: no Sentry SDK is initialised in this process; call Sentry.init() " +
        'before createSentryHooks(), or give the SDK as "sentry"',
    );
  }

  const reporter = new Reporter(sentry === undefined ? currentSentry : () => sentry);
  reporter.check();
  const hooks: TaskcastHooks = {};
  if (captureTaskFailures) {
    hooks.onTaskFailed = (task, error) =>
      void reporter.send(() => failureReport(task, error, includePayloads));
  }
  if (captureTaskTimeouts) {
    hooks.onTaskTimeout = (task) => void reporter.send(() => timeoutReport(task, includePayloads));
  }
  if (captureUnhandledErrors) {
    hooks.onUnhandledError = (error, context) => {
      if (reporter.send(() => unhandledReport(error, context))) return;
      console.error(`Taskcast: error in ${context.operation}:`, error);
    };
  }
  return hooks;
}
