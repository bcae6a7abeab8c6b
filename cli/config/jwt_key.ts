import type { JwtAlgorithm } from "@taskcast/core/config";
import { readText, UnreadableFile } from "../files/read_text.ts";

/**
 * Why a text is not a public key that an algorithm can use; `undefined` if it is one. Asked at the
 * start, since it would otherwise come out with the first token.
 */
export async function keyFlaw(text: string, algorithm: JwtAlgorithm): Promise<string | undefined> {
  const key = text.trim();
  const kind = /-----BEGIN ([A-Z ]+)-----/.exec(key)?.[1];
  if (kind?.includes("PRIVATE KEY")) {
    return "is a private key, which whoever signs tokens keeps; the public one is needed";
  }
  if (kind !== undefined && kind !== "PUBLIC KEY") {
    return `is a ${kind}, and a PUBLIC KEY (SPKI) is needed: openssl pkey -pubin, or openssl x509 -pubkey`;
  }
  const { importJWK, importSPKI } = await import("jose");
  try {
    if (key.startsWith("{")) await importJWK(JSON.parse(key), algorithm);
    else await importSPKI(key, algorithm);
    return undefined;
  } catch {
    return `is not a public key for ${algorithm}, as PEM (SPKI) or JWK`;
  }
}

/** Reads a key's file. */
export function readKeyFile(path: string): { key: string } | { flaw: string } {
  try {
    return { key: readText(path) };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.code === "ENOENT") return { flaw: `there is no file ${path}` };
    return { flaw: `the file ${path} cannot be read: ${error.message}` };
  }
}
