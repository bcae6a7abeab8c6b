import { hintFor, notOneOf } from "../../protocol/did_you_mean.ts";
import { invalidInput, TaskcastError } from "../../protocol/errors.ts";
import { RESERVED_TYPE_PREFIX } from "../../protocol/event.ts";
import { BOUNDS } from "../../protocol/limits.ts";

// Input may come from anywhere, so every check takes `unknown`.

export type Fields = Record<string, unknown>;

/** Returns the error for a missing value or one of the wrong type. */
export function mustBe(kind: string, value: unknown, path: string): TaskcastError {
  const problem = value === undefined ? "is missing" : `must be ${kind}, and is ${kindOf(value)}`;
  return invalidInput(path, problem);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : `${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Requires an object without unknown fields. */
export function object(
  value: unknown,
  path: string,
  known?: readonly string[],
): Record<string, unknown> {
  if (!isObject(value)) throw mustBe("an object", value, path);
  if (hasToJson(value)) throw invalidInput(path, "must be a plain object, without toJSON()");
  if (known !== undefined) {
    for (const key of Object.keys(value)) {
      if (!known.includes(key) && value[key] !== undefined) {
        throw invalidInput(join(path, key), `is not known; ${hintFor(key, known)}`);
      }
    }
  }
  return value;
}

/**
 * Returns whether an object defines `toJSON()`, which would store other values than were checked.
 */
export function hasToJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === "function";
}

/** Requires a function. */
export function assertFunction(value: unknown, path: string): void {
  if (typeof value !== "function") throw invalidInput(path, "must be a function");
}

/** Requires an object that has these methods. */
export function assertMethods(value: unknown, path: string, methods: readonly string[]): void {
  const there = (typeof value === "object" || typeof value === "function") && value !== null
    ? value as Fields
    : {};
  const missing = methods.filter((name) => typeof there[name] !== "function");
  if (missing.length > 0) {
    const names = missing.map((name) => `${name}()`).join(", ");
    throw invalidInput(path, `must be an object with ${names}`);
  }
}

export function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** Requires a string of 1 to `max` characters. */
export function text(value: unknown, path: string, max: number = BOUNDS.nameLength): string {
  if (typeof value !== "string") throw mustBe("a string", value, path);
  if (value === "") throw invalidInput(path, "must not be empty");
  if (value.length > max) {
    throw invalidInput(path, `must have at most ${max} characters, and has ${value.length}`);
  }
  // Some stores cannot tell such strings apart, and nobody sends them on purpose.
  if (value.includes("\0") || !value.isWellFormed()) {
    throw invalidInput(path, "must be well-formed Unicode without NUL");
  }
  return value;
}

export function oneOf(value: unknown, path: string, allowed: readonly string[]): string {
  if (typeof value === "string" && allowed.includes(value)) return value;
  throw invalidInput(path, value === undefined ? "is missing" : notOneOf(value, allowed));
}

export function integer(value: unknown, path: string, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw invalidInput(path, value === undefined ? "is missing" : `must be an integer ${range}`);
}

export function number(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== "number") throw mustBe("a number", value, path);
  if (!(value >= min && value <= max)) {
    throw invalidInput(path, `must be a number from ${min} to ${max}`);
  }
  return value;
}

export function list(value: unknown, path: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw mustBe("an array", value, path);
  if (hasToJson(value)) throw invalidInput(path, "must be an array without toJSON()");
  if (value.length > max) {
    throw invalidInput(path, `must have at most ${max} items, and has ${value.length}`);
  }
  return Array.from(value); // Turns holes into items, so that the checks of items do not skip them.
}

export function texts(value: unknown, path: string, max: number): void {
  list(value, path, max).forEach((item, i) => text(item, `${path}[${i}]`));
}

/** Calls `check` if the field is given. `null` counts as given. */
export function optional(
  fields: Fields,
  path: string,
  key: string,
  check: (value: unknown, path: string) => unknown,
): void {
  if (fields[key] !== undefined) check(fields[key], join(path, key));
}

const encoder = new TextEncoder();

/** Returns the length of a string in bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

export function assertBytes(value: unknown, what: string, max: number): void {
  const json = JSON.stringify(value);
  // A character is at most three bytes of UTF-8, so most texts need not be measured.
  if (json.length * 3 > max && utf8Bytes(json) > max) {
    throw new TaskcastError("PAYLOAD_TOO_LARGE", `${what} must have at most ${max} bytes of JSON`, {
      details: { maxBytes: max },
    });
  }
}

/** Requires a name that is not reserved for the server. */
export function assertNotReserved(name: string, path: string): void {
  if (!name.startsWith(RESERVED_TYPE_PREFIX)) return;
  throw invalidInput(path, `must not begin with "${RESERVED_TYPE_PREFIX}", which is reserved`);
}
