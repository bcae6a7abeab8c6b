import { invalidInput } from "../../protocol/errors.ts";
import type { Limits } from "../../protocol/limits.ts";
import type { Fields } from "./checks.ts";
import { join, object } from "./checks.ts";

/** Bounds of JSON values. */
export type JsonLimits = Pick<Limits, "maxJsonDepth">;

/**
 * Requires a value that survives `JSON.stringify` unchanged: no cycles, functions, `NaN` …, and no
 * more levels than allowed. What JSON leaves out of objects (`undefined`) is let through.
 */
export function assertJson(value: unknown, path: string, { maxJsonDepth }: JsonLimits): void {
  const walk = (value: unknown, path: string, depth: number): void => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return;
      case "number":
        if (!Number.isFinite(value)) throw invalidInput(path, `must be JSON, and is ${value}`);
        return;
      case "object":
        break;
      default:
        throw invalidInput(path, `must be JSON, and is ${typeof value}`);
    }
    if (value === null) return;
    if (depth >= maxJsonDepth) {
      throw invalidInput(path, `must not be nested deeper than ${maxJsonDepth} levels`);
    }
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) walk(value[i], `${path}[${i}]`, depth + 1);
      return;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw invalidInput(
        path,
        "must be JSON: a plain object, array, string, number, boolean or null",
      );
    }
    for (const key in value) {
      const member = (value as Fields)[key];
      if (member !== undefined) walk(member, join(path, key), depth + 1);
    }
  };
  walk(value, path, 0);
}

export function jsonObject(limits: JsonLimits): (value: unknown, path: string) => void {
  return (value, path) => {
    object(value, path);
    assertJson(value, path, limits);
  };
}
