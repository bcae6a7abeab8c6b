import type { ReportContext } from "./reports.ts";

/** As much of Sentry as is called. The namespace of any SDK since version 7 fits, so does a scope. */
export interface SentrySdk {
  /** Reports an error, without waiting for it to be sent. */
  captureException(error: unknown, hint?: { captureContext?: ReportContext }): unknown;
  /** The client that sends; undefined before `init`. */
  getClient?(): unknown;
}

/** As much of an SDK's client as is asked. */
export interface SentryClient {
  /** The host may have turned it off. */
  getOptions?(): { enabled?: boolean };
  /** None without a DSN that is well-formed. */
  getTransport?(): unknown;
  /** Hears what became of an event. */
  on?(
    name: "afterSendEvent",
    listener: (
      event: { tags?: Record<string, unknown> },
      response?: { statusCode?: number },
    ) => void,
  ): unknown;
}

/** Process-wide state of one version of the SDK. */
interface Carrier {
  /** Scopes of asynchronous contexts, e.g. one for each request (7: hubs). */
  acs?: { getCurrentScope?(): SentrySdk; getCurrentHub?(): SentrySdk };
  /** Scopes where there are no such contexts. */
  stack?: { getScope?(): SentrySdk };
  defaultCurrentScope?: SentrySdk;
  /** Version 7. */
  hub?: SentrySdk;
}

/**
 * The SDK that the host has initialised: its current scope, which can report by itself.
 *
 * Importing an SDK here would not find it: each version keeps its client under its own number, so
 * only the very same version would see it. All of them use the same global for that, `__SENTRY__`,
 * since several copies of one SDK have to find each other too. It is not in their documentation;
 * the tests run real SDKs of several majors, and the option `sentry` does without.
 *
 * @returns One that sends, if there is any; else one that is disabled; undefined without any client.
 */
export function currentSentry(): SentrySdk | undefined {
  const { __SENTRY__: root } = globalThis as { __SENTRY__?: Record<string, Carrier> & Carrier };
  if (root === undefined) return undefined;
  // `version` names the copy that was loaded first. It comes first, but may have no client.
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

/** The client of an SDK; undefined when it has none or cannot tell. */
export function clientOf(sdk: SentrySdk): SentryClient | undefined {
  return sdk.getClient?.() as SentryClient | undefined;
}

/** Returns true if a client sends: it is enabled and has a DSN. */
export function sends(client: SentryClient): boolean {
  if (client.getOptions?.().enabled === false) return false;
  return client.getTransport === undefined || client.getTransport() !== undefined;
}
