/**
 * Returns a deep copy of a value, like `structuredClone`. Meant for tasks, which are JSON except for
 * `undefined` fields; it takes a tenth of the time because nothing is serialised. Values other than
 * plain objects, arrays and primitives are passed to `structuredClone`.
 */
export function copyOf<T>(value: T): T {
  return copyOfAny(value) as T;
}

function copyOfAny(value: unknown): unknown {
  if (typeof value !== "object") {
    return typeof value === "function" || typeof value === "symbol"
      ? structuredClone(value)
      : value;
  }
  if (value === null) return null;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (let i = 0; i < value.length; i++) copy.push(copyOfAny(value[i]));
    return copy;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = copyOfAny((value as Record<string, unknown>)[key]);
    if (key !== "__proto__") copy[key] = member;
    // JSON objects may have such a field, and assigning it would set the prototype.
    else Object.defineProperty(copy, key, { value: member, ...ORDINARY });
  }
  return copy;
}

const ORDINARY = { enumerable: true, configurable: true, writable: true };
