import { secretProblem } from "@taskcast/core/internal";
import { hintFor, TaskcastError } from "@taskcast/core/protocol";
import type { BodyLimits } from "../requests/body_limits.ts";
import { bodyLimitsOf } from "../requests/body_limits.ts";
import { credentialOf, credentialOfToken } from "./credential.ts";
import { createJwtVerifier } from "./jwt.ts";
import { lendBody } from "./lend_body.ts";
import type { AuthContext, AuthFunction, AuthOptions } from "./options.ts";
import { FULL_ACCESS } from "./options.ts";
import type { TrustedServices } from "./service_keys.ts";
import { createKeyAuthenticator, SERVICE_KEY_HEADER } from "./service_keys.ts";

/** Options for {@linkcode createAuthenticator}. */
export interface AuthenticatorOptions {
  /** The authentication mode. @default {{ mode: "none" }} */
  auth?: AuthOptions;
  /** Services that authenticate with keys, by name. */
  trustedServices?: TrustedServices;
  /** Accepts HS256 secrets of fewer than 32 bytes, which can be guessed. @default {false} */
  allowShortSecrets?: boolean;
  /** Maximum size in bytes of a body that the host's function may read. @default {1048576} */
  maxBodyBytes?: number;
  /** Milliseconds without a byte after which reading such a body fails. @default {30000} */
  bodyTimeoutMs?: number;
}

/**
 * Returns a function that authenticates requests.
 *
 * A service key is checked first, in every mode. A wrong key is refused, whatever else is sent.
 *
 * @returns A function that throws or rejects with `UNAUTHORIZED` for unknown callers.
 * @throws {TypeError} If the options are invalid.
 */
export function createAuthenticator(
  { auth = { mode: "none" }, trustedServices = {}, allowShortSecrets, ...body }:
    AuthenticatorOptions,
): (request: Request) => AuthContext | Promise<AuthContext> {
  const byToken = tokenAuthenticator(auth, { bodyLimits: bodyLimitsOf(body), allowShortSecrets });
  const open = (auth.mode ?? "none") === "none";
  const byKey = createKeyAuthenticator(trustedServices, { open });
  return (request) => {
    const key = request.headers.get(SERVICE_KEY_HEADER);
    return key === null ? byToken(request) : byKey(key);
  };
}

function tokenAuthenticator(
  auth: AuthOptions,
  { bodyLimits, allowShortSecrets = false }: {
    bodyLimits: BodyLimits;
    allowShortSecrets?: boolean;
  },
): (request: Request) => AuthContext | Promise<AuthContext> {
  switch (auth.mode) {
    case undefined:
      assertNothingElse(auth);
      return () => FULL_ACCESS;
    case "none":
      return () => FULL_ACCESS;
    case "jwt": {
      if (typeof auth.jwt !== "object" || auth.jwt === null) {
        throw new TypeError('auth: the mode "jwt" needs "jwt"');
      }
      const { algorithm = "HS256", secret } = auth.jwt;
      if (algorithm === "HS256" && typeof secret === "string" && !allowShortSecrets) {
        const problem = secretProblem(secret);
        if (problem !== undefined) {
          throw new TypeError(`auth.jwt.secret ${problem}; or set allowShortSecrets`);
        }
      }
      const verify = createJwtVerifier(auth.jwt);
      return async (request) => {
        const token = bearerToken(request);
        const context = await verify(token);
        return { ...context, credential: await credentialOfToken(token, context) };
      };
    }
    case "custom": {
      if (typeof auth.authenticate !== "function") {
        throw new TypeError('auth: the mode "custom" needs the function "authenticate"');
      }
      return (request) => byFunction(auth.authenticate, request, bodyLimits);
    }
    default:
      throw new TypeError('auth.mode must be "none", "jwt" or "custom"');
  }
}

/** Requires a mode if a key or a function is given: without one, authentication would be off. */
function assertNothingElse(auth: object): void {
  for (const [part, mode] of [["jwt", "jwt"], ["authenticate", "custom"]] as const) {
    if (part in auth) throw new TypeError(`auth.${part} needs auth.mode: "${mode}"`);
  }
}

/** Reads the token of `Authorization: Bearer …` (RFC 6750 §2.1). */
function bearerToken(request: Request): string {
  const header = request.headers.get("authorization");
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header ?? "");
  if (match !== null) return match[1]!;
  throw new TaskcastError(
    "UNAUTHORIZED",
    header === null
      ? misspeltHeader(request.headers) ??
        'A token is needed: send "Authorization: Bearer <token>"'
      : 'The Authorization header is malformed: send "Authorization: Bearer <token>"',
  );
}

/** Prefix of the headers that only Taskcast has. */
const HEADER_PREFIX = "x-taskcast-";

/** Describes a misspelt header of ours. Called only when the request is refused anyway. */
function misspeltHeader(headers: Headers): string | undefined {
  for (const name of headers.keys()) {
    if (name.startsWith(HEADER_PREFIX)) {
      return `There is no header "${name}"; ${hintFor(name, [SERVICE_KEY_HEADER])}`;
    }
  }
  return undefined;
}

async function byFunction(
  authenticate: AuthFunction,
  request: Request,
  bodyLimits: BodyLimits,
): Promise<AuthContext> {
  const context = await lendBody(request, bodyLimits, authenticate);
  if (context === null) {
    throw new TaskcastError("UNAUTHORIZED", "The caller could not be authenticated");
  }
  const { taskIds, scope } = context;
  if ((taskIds !== "*" && !Array.isArray(taskIds)) || !Array.isArray(scope)) {
    // A bug of the host. It must not let the request pass.
    throw new TypeError(
      'auth.authenticate must return { taskIds: "*" | string[], scope: string[] }',
    );
  }
  const { credential = context.sub } = context;
  return credential === undefined
    ? context
    : { ...context, credential: await credentialOf("custom", credential) };
}
