/** Where a value is in a configuration. */
export type KeyPath = readonly PropertyKey[];

/** A path as people write it: `cleanup.rules[0].target`. */
export function pathText(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(String(key))) {
      text += text === "" ? String(key) : `.${String(key)}`;
    } else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** The value at a path; only what is an object's own counts. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

/** Puts a value where a path leads; what is on the way must be there. */
export function setAt(value: unknown, path: KeyPath, part: unknown): void {
  const parent = valueAt(value, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  // Not by assignment, which for "__proto__" would be another thing.
  Object.defineProperty(parent, path.at(-1)!, {
    value: part,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
