import { assertDsn } from "./dsn.ts";
import type { SentrySdk } from "./sdk.ts";

/** Options for `startSentry`. */
export interface StartSentryOptions {
  /** Address to report to: `https://<key>@<host>/<project>`. */
  dsn: string;
  /** Environment, e.g. `staging`. @default the SDK's own, usually `production` */
  environment?: string;
  /** Version of the running program. @default the SDK's own, usually none */
  release?: string;
  /**
   * The SDK to start, e.g. the namespace of `@sentry/node` 8 or later. @default the built-in one
   */
  sdk?: StartableSdk;
}

/** A started Sentry SDK. */
export interface StartedSentry {
  /** The SDK, for `createSentryHooks`. */
  sentry: SentrySdk;
  /**
   * Waits until everything reported so far is sent.
   *
   * @param timeoutMs Maximum milliseconds to wait.
   * @returns Whether everything was sent.
   */
  flush(timeoutMs: number): Promise<boolean>;
  /** Sends pending reports, within two seconds, and stops reporting. Safe to call twice. */
  close(): Promise<void>;
}

/** The part of a Sentry SDK that is needed to start it. */
export interface StartableSdk extends SentrySdk {
  /** Initialises the SDK. */
  // deno-lint-ignore no-explicit-any
  init(options: any): unknown;
  /** Creates the integration that reports the causes of an error. */
  linkedErrorsIntegration(): unknown;
  /**
   * Waits until everything reported is sent. Resolves to `false` after the timeout.
   */
  flush(timeoutMs?: number): PromiseLike<boolean>;
  /** Sends pending reports and stops reporting. */
  close(timeoutMs?: number): PromiseLike<boolean>;
}

/** Checks the DSN, loads an SDK and initialises it. */
export async function startWith(
  load: () => Promise<StartableSdk>,
  { dsn, environment, release }: StartSentryOptions,
): Promise<StartedSentry> {
  assertDsn(dsn);
  const sdk = await load();
  sdk.init({
    dsn,
    ...(environment === undefined ? {} : { environment }),
    ...(release === undefined ? {} : { release }),
    // The default integrations catch uncaught errors, wrap fetch, http and console, and time requests.
    defaultIntegrations: false,
    integrations: [sdk.linkedErrorsIntegration()],
    // Turns off features of individual SDKs. Each SDK ignores the options of the others.
    sendDefaultPii: false, // Before version 11.
    dataCollection: { userInfo: false }, // From version 11.
    sendClientReports: false,
    // Not undefined, since Node's SDK would then use SENTRY_TRACES_SAMPLE_RATE.
    tracesSampleRate: 0,
    traceLifecycle: "static", // No integration for spans.
    skipOpenTelemetrySetup: true,
    registerEsmLoaderHooks: false,
    enableRuntimeChannelInjection: false,
    spotlight: false,
  });
  return {
    sentry: sdk,
    flush: async (timeoutMs) => await sdk.flush(timeoutMs),
    close: async () => void await sdk.close(2_000),
  };
}
