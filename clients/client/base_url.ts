/**
 * Returns why a text cannot be the address of a server, worded to follow the name of the option.
 * The reason does not quote the text, which may contain a password.
 *
 * @returns `undefined` if the text is a valid address.
 */
export function baseUrlProblem(baseUrl: string): string | undefined {
  // "localhost:3721" would parse as a URL with the scheme "localhost:".
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
