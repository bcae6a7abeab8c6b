import type { ReportContext } from "./reports.ts";

/**
 * The part of Sentry's API that is called. The namespace of any SDK since version 7 fits, and so
 * does a scope.
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

/** State that one version of the SDK keeps for the whole process. */
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
 * Importing an SDK here would not find it: each version stores its client under its own number, so
 * only the very same version would see it. All of them use the same global for that, `__SENTRY__`,
 * since copies of one SDK have to find each other, too. It is undocumented; the tests run real SDKs
 * of several majors, and the option `sentry` does not depend on it.
 *
 * @returns A scope that sends, if there is one; else a disabled one; `undefined` without any
 * client.
 */
export function currentSentry(): SentrySdk | undefined {
  const { __SENTRY__: root } = globalThis as { __SENTRY__?: Record<string, Carrier> & Carrier };
  if (root === undefined) return undefined;
  // `version` names the copy that was loaded first. It is tried first, but may have no client.
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

/** Returns the client of an SDK; `undefined` if it has none or cannot tell. */
export function clientOf(sdk: SentrySdk): SentryClient | undefined {
  return sdk.getClient?.() as SentryClient | undefined;
}

/** Returns whether a client sends anything: it is enabled and has a DSN. */
export function sends(client: SentryClient): boolean {
  if (client.getOptions?.().enabled === false) return false;
  return client.getTransport === undefined || client.getTransport() !== undefined;
}
