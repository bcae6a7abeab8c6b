/**
 * Returns why a text is never the `Origin` of a page, or `undefined` if it may be. Origins are compared
 * letter by letter, so one with a slash at its end would admit no page.
 */
export function originProblem(origin: unknown): string | undefined {
  if (typeof origin !== "string") return "must be a text";
  if (origin === "null") return undefined; // Files and sandboxed frames have this one.
  if (origin.includes("*")) return 'must name one host: "*" stands for all only by itself';
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s\\]+$/i.test(origin) || !URL.canParse(origin)) {
    const example = meantBy(origin) ?? "https://example.com";
    return `must be an origin, such as ${example}, without a path or a slash at its end`;
  }
  // Of schemes that it does not know, URL says "null", and keeps the case of hosts.
  const { origin: known, protocol } = new URL(origin);
  const written = known === "null" ? protocol + origin.slice(protocol.length) : known;
  return written === origin ? undefined : `must be written as browsers do: ${written}`;
}

/** The origin that an address, or a host without a scheme, is meant as. */
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
