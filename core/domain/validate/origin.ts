/**
 * Returns why a string cannot be the `Origin` of a page, or `undefined` if it can. Origins are
 * compared as strings, so one with a trailing slash would never match.
 */
export function originProblem(origin: unknown): string | undefined {
  if (typeof origin !== "string") return "must be a text";
  if (origin === "null") return undefined; // The origin of files and sandboxed frames.
  if (origin.includes("*")) return 'must name one host: "*" stands for all only by itself';
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s\\]+$/i.test(origin) || !URL.canParse(origin)) {
    const example = meantBy(origin) ?? "https://example.com";
    return `must be an origin, such as ${example}, without a path or a slash at its end`;
  }
  // For schemes it does not know, URL returns "null" and keeps the case of hosts.
  const { origin: known, protocol } = new URL(origin);
  const written = known === "null" ? protocol + origin.slice(protocol.length) : known;
  return written === origin ? undefined : `must be written as browsers do: ${written}`;
}

/** Returns the origin that was probably meant by a URL, or by a host without a scheme. */
function meantBy(text: string): string | undefined {
  const isLocal = /^(localhost|127\.|\[::1\])/i.test(text);
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text
    : `${isLocal ? "http" : "https"}://${text}`;
  if (!URL.canParse(address) || /[\s,]/.test(text)) return undefined;
  const { protocol, origin, username, password } = new URL(address);
  const isWeb = protocol === "https:" || protocol === "http:";
  return isWeb && username === "" && password === "" ? origin : undefined;
}
