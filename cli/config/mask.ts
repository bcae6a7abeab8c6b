/** The text that is shown instead of a secret. */
export const MASK = "••••••";

const SECRET_NAME = /secret|password|passwd|pwd|token|api_?key|credential|private_?key/i;

/** Returns whether a name looks like that of a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Masks the secrets of an address. A text that looks like an address but is not a URL is masked
 * entirely after its scheme, since its password cannot be located.
 */
export function maskUrl(
  text: string,
  { hideQuery = false }: { hideQuery?: boolean } = {},
): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme === null) return text;
  if (!URL.canParse(text)) return text.includes("@") ? `${scheme[0]}${MASK}` : text;
  const url = new URL(text);
  if (text.includes("@") && url.username === "" && url.password === "") {
    // The part before the @ was not parsed as a user: an unescaped character ended the host early.
    return `${scheme[0]}${MASK}`;
  }
  const hidden = [
    url.password,
    ...[...url.searchParams]
      .filter(([name]) => hideQuery || isSecretName(name)).map(([, value]) => value),
  ];
  // A user without a password is a token more often than a name, except where databases want one.
  if (url.password === "" && /^https?:$/.test(url.protocol)) hidden.push(url.username);
  let shown = text;
  for (const part of hidden) {
    for (const form of [part, encodeURIComponent(part)]) {
      if (form !== "") shown = shown.replaceAll(form, MASK);
    }
  }
  return shown;
}
