/**
 * Nothing answers at the server's address, or the browser does not let this page read the answers.
 */
export class UnreachableError extends TypeError {
  /** Distinguishes this error from a `TypeError` of `fetch`. */
  override readonly name: string = "UnreachableError";
  /**
   * Set if something answers, but the browser refuses: the server's CORS settings exclude this
   * page.
   */
  readonly isBrowser: boolean;

  /**
   * Creates the error of a request that was not answered.
   *
   * @param baseUrl The server's address.
   * @param error The error of `fetch`.
   * @param isBrowser Something answers, but the browser refuses.
   */
  constructor(baseUrl: string, error: Error, isBrowser: boolean) {
    const cause = error.cause instanceof Error ? error.cause : error;
    super(
      isBrowser
        ? `The browser does not let this page read the answers of ${baseUrl}: the server's ` +
          `cors.origin must name ${location.origin}, and cors.allowedHeaders all headers of the client`
        : `Cannot reach Taskcast at ${baseUrl} (${cause.message}). Is it running (npx taskcast), ` +
          "and is baseUrl right?",
      { cause },
    );
    this.isBrowser = isBrowser;
  }
}

/**
 * Returns whether the server answers, but the browser hides the answers from this page. `fetch`
 * reports a refusal by CORS like an outage; a `no-cors` request fails only in an outage.
 */
export async function refusedByBrowser(
  baseUrl: string,
  send: typeof fetch,
): Promise<boolean> {
  const page = (globalThis as { location?: { origin: string } }).location;
  if (page === undefined || new URL(baseUrl).origin === page.origin) return false;
  return await send(`${baseUrl}/health`, { mode: "no-cors" }).then(() => true, () => false);
}
