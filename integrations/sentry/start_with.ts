import { assertDsn } from "./dsn.ts";
import type { SentrySdk } from "./sdk.ts";

/** Options for `startSentry`. */
export interface StartSentryOptions {
  /** Where to report to: `https://<key>@<host>/<project>`. */
  dsn: string;
  /** E.g. `staging`. @default what the SDK takes, usually `production` */
  environment?: string;
  /** The version that runs. @default what the SDK takes, usually none */
  release?: string;
  /**
   * The SDK to start, e.g. the namespace of `@sentry/node` 8 or later.
   *
   * @default one that is built in
   */
  sdk?: StartableSdk;
}

/** A Sentry SDK that was started here. */
export interface StartedSentry {
  /** The SDK, for `createSentryHooks`. */
  sentry: SentrySdk;
  /**
   * Waits until everything reported so far is sent.
   *
   * @param timeoutMs Milliseconds to wait at most.
   * @returns Whether nothing is left.
   */
  flush(timeoutMs: number): Promise<boolean>;
  /** Sends what is left, within two seconds, and reports nothing from then on. Safe to call twice. */
  close(): Promise<void>;
}

/** The part of a Sentry SDK that starting it needs. */
export interface StartableSdk extends SentrySdk {
  /** Initialises the SDK. */
  // deno-lint-ignore no-explicit-any
  init(options: any): unknown;
  /** Creates the integration that reports the causes of an error. */
  linkedErrorsIntegration(): unknown;
  /** Waits until everything reported is sent; resolves to `false` when the time is over first. */
  flush(timeoutMs?: number): PromiseLike<boolean>;
  /** Sends what is left and stops reporting. */
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
    // The usual ones catch uncaught errors, wrap fetch, http and console, and time requests.
    defaultIntegrations: false,
    integrations: [sdk.linkedErrorsIntegration()],
    // What each of the SDKs has beyond that, turned off; they ignore the options of others.
    sendDefaultPii: false, // Until 10.
    dataCollection: { userInfo: false }, // From 11.
    sendClientReports: false,
    // Not undefined, for which Node's takes SENTRY_TRACES_SAMPLE_RATE.
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
