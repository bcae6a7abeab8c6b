import type { Report } from "./reports.ts";
import { clientOf, sends, type SentryClient, type SentrySdk } from "./sdk.ts";

/**
 * Sends reports to Sentry. If they cannot be delivered, it warns on the console, once for each
 * reason.
 */
export class Reporter {
  readonly #find: () => SentrySdk | undefined;
  readonly #warned = new Set<string>();
  readonly #watched = new WeakSet<SentryClient>();

  /** @param find Returns the SDK. Called for each report, because the current scope may differ. */
  constructor(find: () => SentrySdk | undefined) {
    this.#find = find;
  }

  /**
   * Returns the SDK, or warns on the console and returns `undefined` if it cannot deliver reports.
   */
  check(): SentrySdk | undefined {
    const sdk = this.#find();
    const client = sdk && clientOf(sdk);
    if (sdk === undefined || (client === undefined && sdk.getClient !== undefined)) {
      this.#warn("it is not initialised");
      return undefined;
    }
    if (client === undefined) return sdk;
    if (!sends(client)) {
      this.#warn("it has no valid DSN, or was turned off");
      return undefined;
    }
    this.#watch(client);
    return sdk;
  }

  /**
   * Reports without waiting. Never throws.
   *
   * @returns Whether Sentry accepted the report.
   */
  send(make: () => Report): boolean {
    try {
      const sdk = this.check();
      if (sdk === undefined) return false;
      const { error, context } = make();
      sdk.captureException(error, { captureContext: context });
      return true;
    } catch (error) {
      this.#warn("its SDK failed", error);
      return false;
    }
  }

  /** Listens for the outcome of deliveries, which SDKs report in no other way. */
  #watch(client: SentryClient): void {
    if (this.#watched.has(client)) return;
    this.#watched.add(client);
    client.on?.("afterSendEvent", ({ tags = {} }, response) => {
      if (!Object.keys(tags).some((name) => name.startsWith("taskcast."))) return;
      const status = response?.statusCode;
      if (status === undefined) this.#warn("it cannot be reached, or its rate limit is exceeded");
      else if (status >= 300) this.#warn(`it answered with status ${status}`);
    });
  }

  #warn(reason: string, ...details: unknown[]): void {
    if (this.#warned.has(reason)) return;
    this.#warned.add(reason);
    console.warn(`Taskcast cannot report to Sentry: ${reason}`, ...details);
  }
}
