/** Its API, of which each SDK is an implementation. */
export type OpenTelemetry = typeof import("@opentelemetry/api");

/** Where version 1 of the API keeps what was registered, whichever copy of it that was done with. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

let loaded: OpenTelemetry | undefined;

/**
 * Whether there is an SDK, or something like it, that spans go to. It may come at any time; with
 * OTEL_DENO=true the runtime itself is one.
 */
export function isTracing(): boolean {
  const registered = (globalThis as { [REGISTERED]?: { trace?: unknown } })[REGISTERED];
  return registered?.trace !== undefined;
}

/**
 * The API, once it is loaded: only those who trace load it, since it takes a tenth of the time to
 * start a server. There is nothing to wait for after the first time.
 */
export function openTelemetry(): OpenTelemetry | Promise<OpenTelemetry> {
  return loaded ?? import("@opentelemetry/api").then((api) => loaded = api);
}
