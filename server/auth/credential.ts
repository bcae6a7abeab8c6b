import type { AuthContext } from "./options.ts";

/** Longer names are kept as a digest, so that what limits remember is bounded. */
const MAX_LENGTH = 64;

/**
 * Returns the key under which limits count a caller.
 *
 * @param kind Separates callers of different kinds that have the same name.
 */
export async function credentialOf(kind: string, name: string): Promise<string> {
  return name.length <= MAX_LENGTH ? `${kind}:${name}` : `${kind}#${await digestOf(name)}`;
}

/**
 * Whom a valid token stands for: its subject, so that a new token is no new caller; else the token.
 * Of that the part that is signed counts, since one can be given several signatures.
 */
export async function credentialOfToken(
  token: string,
  { sub, claims }: AuthContext,
): Promise<string> {
  // Subjects are unique for their issuer only (RFC 7519 §4.1.2).
  if (sub !== undefined) return await credentialOf("sub", JSON.stringify([claims?.iss ?? "", sub]));
  return `token#${await digestOf(token.slice(0, token.lastIndexOf(".")))}`;
}

async function digestOf(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
