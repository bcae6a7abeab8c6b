/** Minimum length of keys for HS256: https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
const MIN_SECRET_BYTES = 32;

/**
 * Returns why a secret is unsafe for HMAC and SHA-256: it is too short or consists of spaces. Returns
 * `undefined` if it is safe. Anybody with a signed text can guess unsafe secrets offline.
 */
export function secretProblem(secret: string): string | undefined {
  if (secret !== "" && secret.trim() === "") {
    return "has nothing but spaces, which anybody can guess; make one with: openssl rand -base64 32";
  }
  const { length } = new TextEncoder().encode(secret);
  return length >= MIN_SECRET_BYTES
    ? undefined
    : `has ${length} bytes and needs ${MIN_SECRET_BYTES}, since anybody with a token can guess a ` +
      "short one; make one with: openssl rand -base64 32";
}
