/** Its API, of which each SDK is an implementation. */
export type OpenTelemetry = typeof import("@opentelemetry/api");

/** Where version 1 of the API keeps what was registered, whichever copy of it that was done with. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** The API of OpenTelemetry, which only those who trace load: a tenth of the time to start a server. */
export interface LazyOpenTelemetry {
  /**
   * Returns true if an SDK, or something like it, records spans. It may come at any time; with
   * OTEL_DENO=true the runtime itself is one. False, too, where the API cannot be loaded, or is
   * newer than the SDK and does not see it.
   */
  isTracing(): boolean;
  /** The API; without a promise once it is loaded. Nothing where it cannot be loaded. */
  load(): OpenTelemetry | Promise<OpenTelemetry | undefined>;
}

/**
 * @param importApi Called when it is wanted for the first time, and not again.
 * @param warn Told if it fails.
 */
export function lazyOpenTelemetry(
  importApi: () => Promise<OpenTelemetry>,
  warn: (message: string) => void,
): LazyOpenTelemetry {
  let loaded: OpenTelemetry | undefined;
  let loading: Promise<OpenTelemetry | undefined> | undefined;
  let hasFailed = false;
  return {
    isTracing() {
      const registered = (globalThis as { [REGISTERED]?: { trace?: unknown } })[REGISTERED];
      if (registered?.trace === undefined || hasFailed) return false;
      return loaded === undefined || loaded.trace.getTracerProvider() === registered.trace;
    },
    load: () =>
      loaded ?? (loading ??= importApi().then(
        (api) => loaded = api,
        (error) => {
          hasFailed = true;
          warn(`Nothing is traced, since @opentelemetry/api cannot be loaded: ${error}`);
          return undefined;
        },
      )),
  };
}

/** That of this process. */
export const openTelemetry: LazyOpenTelemetry = lazyOpenTelemetry(
  () => import("@opentelemetry/api"),
  (message) => console.warn(message),
);
