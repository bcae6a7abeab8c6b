import { invalidInput } from "../../protocol/errors.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Fields } from "./checks.ts";
import { hasToJson, join, object } from "./checks.ts";

/** Bounds of JSON values. */
export type JsonLimits = Pick<Limits, "maxJsonDepth">;

/**
 * Requires a value that `JSON.stringify` preserves: no cycles, functions, `NaN` …, and no deeper
 * nesting than allowed. Fields that are `undefined` are accepted, since JSON leaves them out.
 */
export function assertJson(value: unknown, path: string, { maxJsonDepth }: JsonLimits): void {
  // Paths are built only once a value is known to be invalid.
  if (!isJson(value, maxJsonDepth)) findFault(value, path, maxJsonDepth, maxJsonDepth);
}

/** @param levels The remaining levels of nesting. */
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

/** Throws an error for the first part that is not JSON, in document order. */
function findFault(value: unknown, path: string, levels: number, maxJsonDepth: number): void {
  if (typeof value !== "object" || value === null) {
    if (isJson(value, levels)) return;
    const what = typeof value === "number" ? value : typeof value;
    throw invalidInput(path, `must be JSON, and is ${what}`);
  }
  if (levels <= 0) {
    throw invalidInput(path, `must not be nested deeper than ${maxJsonDepth} levels`);
  }
  // For example a Date: JSON would contain whatever the method returns.
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
