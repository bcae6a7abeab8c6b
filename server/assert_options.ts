import type { TaskcastAppOptions } from "./app.ts";

/**
 * Requires options that can work, as far as their own parts do not: whoever writes without types
 * learns at once what is wrong, and is not let in, or left without a bound, by a word in the wrong
 * place.
 *
 * @throws {TypeError} That names the option.
 */
export function assertAppOptions(options: TaskcastAppOptions): void {
  if (!isObject(options)) throw new TypeError("createTaskcastApp() needs an object of options");
  const { engine, auth, trustedServices, ticketSecret, maxBodyBytes } = options;
  if (!isObject(engine) || typeof engine.observe !== "function") {
    throw new TypeError('createTaskcastApp() needs the option "engine", a TaskEngine');
  }
  if (auth !== undefined && !isObject(auth)) {
    throw new TypeError('auth must be an object with mode: "none", "jwt" or "custom"');
  }
  if (trustedServices !== undefined && !isObject(trustedServices)) {
    throw new TypeError("trustedServices must be an object of keys by the services' names");
  }
  // With an empty one everybody could sign.
  if (ticketSecret !== undefined && (typeof ticketSecret !== "string" || ticketSecret === "")) {
    throw new TypeError("ticketSecret must be a text, and not an empty one");
  }
  if (maxBodyBytes !== undefined && !isBound(maxBodyBytes)) {
    throw new TypeError("maxBodyBytes must be a whole number of at least 1, or Infinity");
  }
  for (const name of ["onAnswered", "clientAddress"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`${name} must be a function`);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBound(value: unknown): boolean {
  return value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1);
}
