/**
 * A deep copy of a value, as `structuredClone` makes it; for tasks, which are JSON but for fields
 * that are `undefined`. It takes a tenth of the time, since nothing is serialised on the way. What
 * is no plain object, array or primitive is left to `structuredClone`.
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
    // JSON has objects with such a field, and assigning it would set the prototype.
    else Object.defineProperty(copy, key, { value: member, ...ORDINARY });
  }
  return copy;
}

const ORDINARY = { enumerable: true, configurable: true, writable: true };
