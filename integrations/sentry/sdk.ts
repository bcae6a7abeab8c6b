import type { ReportContext } from "./reports.ts";

/**
 * The part of Sentry's API that the hooks call. The namespace of any SDK since version 7 has it, and
 * so does a scope.
 */
export interface SentrySdk {
  /** Reports an error, without waiting for it to be sent. */
  captureException(error: unknown, hint?: { captureContext?: ReportContext }): unknown;
  /** Returns the client; `undefined` before `init`. */
  getClient?(): unknown;
}

/** The part of an SDK's client that is used. */
export interface SentryClient {
  /** Returns the options; the host may have disabled the client. */
  getOptions?(): { enabled?: boolean };
  /** Returns the transport; none without a valid DSN. */
  getTransport?(): unknown;
  /** Adds a listener for the outcome of events. */
  on?(
    name: "afterSendEvent",
    listener: (
      event: { tags?: Record<string, unknown> },
      response?: { statusCode?: number },
    ) => void,
  ): unknown;
}

/** Global state of one version of the SDK. */
interface Carrier {
  /** Scopes of asynchronous contexts, e.g. one for each request (hubs in version 7). */
  acs?: { getCurrentScope?(): SentrySdk; getCurrentHub?(): SentrySdk };
  /** Scopes for runtimes without such contexts. */
  stack?: { getScope?(): SentrySdk };
  defaultCurrentScope?: SentrySdk;
  /** Scope of version 7. */
  hub?: SentrySdk;
}

/**
 * Returns the current scope of the SDK that the host has initialised. A scope can report by itself.
 *
 * An SDK imported here would find the client only if it were the same version, since each version
 * stores its client under its own number. All versions store it in the global `__SENTRY__`, by which
 * copies of one version find each other. This global is undocumented: the tests run real SDKs of
 * several majors, and the option `sentry` does not depend on it.
 *
 * @returns A scope whose client sends; else one whose client is disabled; `undefined` if there is no
 * client.
 */
export function currentSentry(): SentrySdk | undefined {
  const { __SENTRY__: root } = globalThis as { __SENTRY__?: Record<string, Carrier> & Carrier };
  if (root === undefined) return undefined;
  // `version` is that of the copy that was loaded first. It is preferred, but may have no client.
  const first = root[(root as { version?: string }).version ?? ""];
  const found = [first, ...Object.values(root), root]
    .flatMap((carrier) => [
      carrier?.acs?.getCurrentScope?.(),
      carrier?.stack?.getScope?.(),
      carrier?.defaultCurrentScope,
      carrier?.acs?.getCurrentHub?.(),
      carrier?.hub,
    ])
    .filter((sdk) => typeof sdk?.captureException === "function" && clientOf(sdk) !== undefined);
  return found.find((sdk) => sends(clientOf(sdk!)!)) ?? found[0];
}

/** Returns the client of an SDK; `undefined` if there is none, or if the SDK has no `getClient`. */
export function clientOf(sdk: SentrySdk): SentryClient | undefined {
  return sdk.getClient?.() as SentryClient | undefined;
}

/** Returns whether a client sends anything: it is enabled and has a DSN. */
export function sends(client: SentryClient): boolean {
  if (client.getOptions?.().enabled === false) return false;
  return client.getTransport === undefined || client.getTransport() !== undefined;
}
