/** OpenTelemetry's API, which each SDK implements. */
export type OpenTelemetry = typeof import("@opentelemetry/api");

/**
 * Where version 1 of the API stores what was registered, whichever copy of the API registered it.
 */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** The API of OpenTelemetry, loaded only for tracing: it takes a tenth of a server's start. */
export interface LazyOpenTelemetry {
  /**
   * Returns whether spans go to an SDK or the like. An SDK may be registered at any time; with
   * OTEL_DENO=true the runtime itself is one. Returns false, too, if the API cannot be loaded, or
   * is newer than the SDK and does not see it.
   */
  isTracing(): boolean;
  /**
   * Returns the API; without a promise once it is loaded. Returns `undefined` if it cannot be
   * loaded.
   */
  load(): OpenTelemetry | Promise<OpenTelemetry | undefined>;
}

/**
 * @param importApi Called once, on first use.
 * @param warn Called if the import fails.
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

/** The API as this process uses it. */
export const openTelemetry: LazyOpenTelemetry = lazyOpenTelemetry(
  () => import("@opentelemetry/api"),
  (message) => console.warn(message),
);
