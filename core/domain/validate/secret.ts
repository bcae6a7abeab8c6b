/** What HS256 wants: https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
const MIN_SECRET_BYTES = 32;

/**
 * Says why a secret is too short to sign with HMAC and SHA-256, or is nothing but spaces; `undefined`
 * if it is neither. Whoever sees anything that is signed can try out such secrets at home.
 */
export function secretProblem(secret: string): string | undefined {
  if (secret !== "" && secret.trim() === "") {
    return "has nothing but spaces, which anybody can guess; make one with: openssl rand -base64 32";
  }
  const { length } = new TextEncoder().encode(secret);
  return length >= MIN_SECRET_BYTES
    ? undefined
    : `has ${length} bytes and needs ${MIN_SECRET_BYTES}, since whoever sees a token can guess a ` +
      "short one; make one with: openssl rand -base64 32";
}
