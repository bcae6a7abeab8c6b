/** The path of a value in a configuration. */
export type KeyPath = readonly PropertyKey[];

/** Returns a path as people write it: `cleanup.rules[0].target`. */
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

/** Returns the value at a path; inherited members are not found. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

/** Sets the value at a path, whose parent must exist. */
export function setAt(value: unknown, path: KeyPath, part: unknown): void {
  const parent = valueAt(value, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  // Not by assignment, which would set the prototype for "__proto__".
  Object.defineProperty(parent, path.at(-1)!, {
    value: part,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
