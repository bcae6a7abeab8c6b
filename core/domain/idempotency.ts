/** Prefix of ids that follow from an idempotency key. No caller may choose such an id. */
export const KEYED_ID_PREFIX = "k~";

/** Characters of a hash in a keyed id: 192 bits. */
const ID_LENGTH = 32;

/** Characters of a hash of an input: 8 bytes. */
const INPUT_LENGTH = 11;

/**
 * Returns the id of the task that a caller creates with an idempotency key. Every instance with every
 * store finds the same, so nothing but the task itself is stored.
 */
export async function keyedId(caller: string, key: string): Promise<string> {
  return KEYED_ID_PREFIX + await hashOf([caller, key], ID_LENGTH);
}

/** Returns a hash of an input. Inputs that differ only in the order of fields have the same. */
export async function inputHash(input: unknown): Promise<string> {
  return await hashOf(input, INPUT_LENGTH);
}

async function hashOf(value: unknown, length: number): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson(value));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = btoa(String.fromCharCode(...digest));
  return text.replaceAll("+", "-").replaceAll("/", "_").slice(0, length);
}

/** Writes a value as JSON with the fields of objects in one order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => isPlainObject(item) ? sorted(item) : item);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  // Entries instead of assignments, since a field may be called "__proto__".
  return Object.fromEntries(
    Object.entries(object).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0),
  );
}
