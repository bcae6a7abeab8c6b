import { invalidInput } from "../../protocol/errors.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Fields } from "./checks.ts";
import { hasToJson, join, object } from "./checks.ts";

/** Bounds of JSON values. */
export type JsonLimits = Pick<Limits, "maxJsonDepth">;

/**
 * Requires a value that survives `JSON.stringify` unchanged: no cycles, functions, `NaN` …, and no
 * more levels than allowed. What JSON leaves out of objects (`undefined`) is let through.
 */
export function assertJson(value: unknown, path: string, { maxJsonDepth }: JsonLimits): void {
  // Texts of paths are made only once it is known that something is wrong.
  if (!isJson(value, maxJsonDepth)) findFault(value, path, maxJsonDepth, maxJsonDepth);
}

/** @param levels Of nesting that are allowed. */
function isJson(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (levels <= 0 || hasToJson(value)) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isJson(value[i], levels - 1)) return false;
    return true;
  }
  if (!isPlain(value)) return false;
  for (const key in value) {
    const member = (value as Fields)[key];
    if (member !== undefined && !isJson(member, levels - 1)) return false;
  }
  return true;
}

/** Throws what keeps a value from being JSON, the first in its order. */
function findFault(value: unknown, path: string, levels: number, maxJsonDepth: number): void {
  if (typeof value !== "object" || value === null) {
    if (isJson(value, levels)) return;
    const what = typeof value === "number" ? value : typeof value;
    throw invalidInput(path, `must be JSON, and is ${what}`);
  }
  if (levels <= 0) {
    throw invalidInput(path, `must not be nested deeper than ${maxJsonDepth} levels`);
  }
  // Such as a Date; JSON would have whatever it answers.
  if (hasToJson(value)) throw invalidInput(path, "must be JSON, without toJSON()");
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      findFault(value[i], `${path}[${i}]`, levels - 1, maxJsonDepth);
    }
    return;
  }
  if (!isPlain(value)) {
    throw invalidInput(
      path,
      "must be JSON: a plain object, array, string, number, boolean or null",
    );
  }
  for (const key in value) {
    const member = (value as Fields)[key];
    if (member === undefined) continue;
    findFault(member, join(path, key), levels - 1, maxJsonDepth);
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function jsonObject(limits: JsonLimits): (value: unknown, path: string) => void {
  return (value, path) => {
    object(value, path);
    assertJson(value, path, limits);
  };
}
