/**
 * Says why a text is never the `Origin` of a browser's page, or `undefined` if it may be. Browsers
 * compare it letter by letter, so a slash at its end is enough that nobody is let in.
 */
export function originProblem(origin: unknown): string | undefined {
  if (typeof origin !== "string") return "must be a text";
  if (origin === "null") return undefined; // Of pages without one: files, sandboxed frames.
  if (origin.includes("*")) return 'must name one host: "*" stands for all only by itself';
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s\\]+$/.test(origin) || !URL.canParse(origin)) {
    return "must be an origin, such as https://example.com, without a path or a slash at its end";
  }
  // Of schemes that it does not know, URL says "null".
  const { origin: written } = new URL(origin);
  return written === origin || written === "null"
    ? undefined
    : `must be written as browsers do: ${written}`;
}
