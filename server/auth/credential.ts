import type { AuthContext } from "./options.ts";

/**
 * Maximum length of a name kept as it is. A longer one is kept as a digest, which bounds the memory
 * of limits.
 */
const MAX_LENGTH = 64;

/**
 * Returns the key under which limits count a caller.
 *
 * @param kind Separates callers of different kinds that happen to have the same name.
 */
export async function credentialOf(kind: string, name: string): Promise<string> {
  return name.length <= MAX_LENGTH ? `${kind}:${name}` : `${kind}#${await digestOf(name)}`;
}

/**
 * Returns the credential of a valid token: its subject, so that a renewed token remains the same
 * caller, or else the token. Only the signed part of a token counts, since one token can carry
 * several signatures.
 */
export async function credentialOfToken(
  token: string,
  { sub, claims }: AuthContext,
): Promise<string> {
  // Subjects are unique only within their issuer (RFC 7519 §4.1.2).
  if (sub !== undefined) return await credentialOf("sub", JSON.stringify([claims?.iss ?? "", sub]));
  return `token#${await digestOf(token.slice(0, token.lastIndexOf(".")))}`;
}

async function digestOf(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
