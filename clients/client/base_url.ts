/**
 * Returns why a text cannot be the address of a server, in words that can follow its name. The
 * reason contains nothing of the text itself, which may contain a password.
 *
 * @returns `undefined` if the text is an address.
 */
export function baseUrlProblem(baseUrl: string): string | undefined {
  // "localhost:3721" is a URL too, with the scheme "localhost:".
  if (!/^https?:\/\//i.test(baseUrl)) return "must begin with http:// or https://";
  if (/[?#]/.test(baseUrl)) return "must have no query (?) and no fragment (#)";
  try {
    const { username, password, pathname } = new URL(baseUrl);
    decodeURI(pathname);
    if (username + password === "") return undefined;
    return "must have no user name and no password; there are tokens and headers for that";
  } catch {
    return "is not a valid URL";
  }
}
