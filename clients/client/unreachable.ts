/** Nothing answers at the server's address, or the browser does not let this page read it. */
export class UnreachableError extends TypeError {
  /** Tells it from what `fetch` rejects with. */
  override readonly name: string = "UnreachableError";
  /** Something is there, but the browser refuses: the server's CORS settings leave this page out. */
  readonly isBrowser: boolean;

  /**
   * The error of a request that nothing answered.
   *
   * @param baseUrl Where the server was looked for.
   * @param error What `fetch` rejected with.
   * @param isBrowser Whether something is there.
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
 * Returns true if something answers a page of another origin that may not read it. A browser tells
 * a refusal by CORS from an outage only so: a request whose answer nobody reads succeeds.
 */
export async function refusedByBrowser(
  baseUrl: string,
  send: typeof fetch,
): Promise<boolean> {
  const page = (globalThis as { location?: { origin: string } }).location;
  if (page === undefined || new URL(baseUrl).origin === page.origin) return false;
  return await send(`${baseUrl}/health`, { mode: "no-cors" }).then(() => true, () => false);
}
