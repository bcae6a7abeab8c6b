import { secretProblem } from "@taskcast/core/internal";
import type { TaskcastAppOptions } from "./app_options.ts";
import { assertKnownOptions } from "./assert_known_options.ts";

const APP_OPTIONS: Readonly<Record<keyof TaskcastAppOptions, true>> = {
  engine: true,
  auth: true,
  trustedServices: true,
  providers: true,
  ticketSecret: true,
  allowShortSecrets: true,
  cors: true,
  maxBodyBytes: true,
  bodyTimeoutMs: true,
  ignoredParameters: true,
  onAnswered: true,
  onOriginRefused: true,
  rateLimit: true,
  clientAddress: true,
  maxStreams: true,
  maxStreamsPerCredential: true,
};

const AUTH_OPTIONS = { mode: true, jwt: true, authenticate: true } as const;

/**
 * Checks the options that no other part of the app checks. Mistakes in untyped code fail at once,
 * and a misplaced value never turns off authentication or a limit.
 *
 * @throws {TypeError} With the name of the option.
 */
export function assertAppOptions(options: TaskcastAppOptions): void {
  if (!isObject(options)) throw new TypeError("createTaskcastApp() needs an object of options");
  assertKnownOptions(options, APP_OPTIONS, "");
  if (isObject(options.auth)) assertKnownOptions(options.auth, AUTH_OPTIONS, "auth");
  const { engine, auth, trustedServices, ticketSecret, maxBodyBytes } = options;
  if (!isObject(engine) || typeof engine.observe !== "function") {
    throw new TypeError('createTaskcastApp() needs the option "engine", a TaskEngine');
  }
  if (auth !== undefined && !isObject(auth)) {
    throw new TypeError('auth must be an object with mode: "none", "jwt" or "custom"');
  }
  if (trustedServices !== undefined && !isObject(trustedServices)) {
    throw new TypeError("trustedServices must be an object of services by their names");
  }
  // With an empty secret, anybody could sign.
  if (ticketSecret !== undefined && (typeof ticketSecret !== "string" || ticketSecret === "")) {
    throw new TypeError("ticketSecret must be a text, and not an empty one");
  }
  const { allowShortSecrets = false } = options;
  if (typeof allowShortSecrets !== "boolean") {
    throw new TypeError("allowShortSecrets must be true or false");
  }
  const problem = ticketSecret === undefined || allowShortSecrets
    ? undefined
    : secretProblem(ticketSecret);
  if (problem !== undefined) {
    throw new TypeError(`ticketSecret ${problem}; or set allowShortSecrets`);
  }
  if (maxBodyBytes !== undefined && !isBound(maxBodyBytes)) {
    throw new TypeError("maxBodyBytes must be a whole number of at least 1, or Infinity");
  }
  const { ignoredParameters: ignored } = options;
  if (ignored !== undefined && !(Array.isArray(ignored) && ignored.every(isParameterName))) {
    throw new TypeError(
      "ignoredParameters must be a list of names of parameters, without wildcards",
    );
  }
  if (options.providers !== undefined && !isObject(options.providers)) {
    throw new TypeError("providers must be an object of names by the adapters' parts");
  }
  for (const name of ["onAnswered", "onOriginRefused", "clientAddress"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`${name} must be a function`);
    }
  }
}

function isParameterName(value: unknown): boolean {
  return typeof value === "string" && /^[^*\s,]+$/.test(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBound(value: unknown): boolean {
  return value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 1);
}
