const INCARNATION_ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** Eight random characters: 40 bits. */
export function newIncarnation(): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(8)),
    (byte) => INCARNATION_ALPHABET[byte % 32],
  ).join("");
}
