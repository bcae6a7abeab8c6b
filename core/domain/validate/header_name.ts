/**
 * Returns why a string is not the name of a request header (RFC 9110, section 5.6.2), in words that
 * can follow the name, or `undefined` if it is one.
 */
export function headerNameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return "must be a text";
  // Browsers do not accept it for every header, and never for Authorization.
  if (name === "*") return "is not the name of a header; name each of them";
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) ? undefined : "is not the name of a header";
}
