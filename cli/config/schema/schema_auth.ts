import type { AuthConfig, AuthFunction, TrustedServiceConfig } from "@taskcast/core/config";
import { JWT_ALGORITHMS } from "@taskcast/core/config";
import { SCOPES } from "@taskcast/core/protocol";
import { z } from "zod";
import { code, expecting, key, named, secret, typed } from "./describe.ts";
import { assertSameType, type Same } from "./same_type.ts";
import { httpUrl, text, texts, whole } from "./values.ts";

/** Keys with which tokens can be verified; one of them is needed. */
const VERIFICATION_KEYS = [
  "auth.jwt.secret",
  "auth.jwt.publicKey",
  "auth.jwt.publicKeyFile",
  "auth.jwt.jwksUrl",
];

const claims = named(
  z.strictObject({
    scope: key(
      z.union([text(), texts()]),
      "Claim with the scopes, or several claims, all of which count",
      { env: "TASKCAST_JWT_SCOPE_CLAIM", envNote: "the variable names one", defaultText: "scope" },
    ),
    taskIds: key(
      text(),
      "Claim with the task ids; with `*` every token is for all tasks, and its scopes decide",
      { env: "TASKCAST_JWT_TASK_IDS_CLAIM", defaultText: "taskIds" },
    ),
    prefix: key(
      z.string(),
      "Prefix of scopes in tokens, as in `taskcast/task:create`; scopes without it are ignored",
      { env: "TASKCAST_JWT_SCOPE_PREFIX" },
    ),
  }),
  "JwtClaims",
  "Names of the claims that hold a token's rights. A name may lead into a claim: `realm_access.roles`.",
);

const jwt = named(
  z.strictObject({
    algorithm: key(
      typed(z.enum(JWT_ALGORITHMS), "JwtAlgorithm"),
      "Signature algorithm that every token must use",
      { default: "HS256", env: "TASKCAST_JWT_ALGORITHM" },
    ),
    secret: key(secret(text()), "Shared secret for HS256, at least 32 bytes", {
      env: "TASKCAST_JWT_SECRET",
      replaces: VERIFICATION_KEYS,
    }),
    publicKey: key(
      text(),
      "Public key for the other algorithms: PEM (SPKI), or a JWK as JSON text",
    ),
    publicKeyFile: key(text(), "File with the public key, relative to the configuration file", {
      env: "TASKCAST_JWT_PUBLIC_KEY_FILE",
      envNote: "for the variable to the working folder",
      replaces: VERIFICATION_KEYS,
    }),
    jwksUrl: key(httpUrl(), "Address at which the issuer publishes its public keys"),
    jwksCooldownMs: key(
      whole(0),
      "Minimum milliseconds between two fetches of the key set that are caused by an unknown key",
      { default: 30_000 },
    ),
    jwksMaxAgeMs: key(whole(0), "Milliseconds after which the key set is fetched again", {
      default: 600_000,
    }),
    issuer: key(
      z.union([text(), texts()]),
      "Required `iss` of a token: a text, or a list of which one must match",
      { env: "TASKCAST_JWT_ISSUER", envNote: "the variable holds one" },
    ),
    audience: key(
      z.union([text(), texts()]),
      "Required `aud` of a token: a text, or a list of which one must match",
      { env: "TASKCAST_JWT_AUDIENCE", envNote: "the variable holds one" },
    ),
    clockToleranceSeconds: key(z.number().min(0), "Tolerated clock difference in seconds", {
      default: 0,
    }),
    claims: key(claims, "Names of the claims that hold a token's rights"),
  }),
  "JwtConfig",
  "Verification of tokens. One of `secret`, `publicKey`, `publicKeyFile` and `jwksUrl` is needed.",
);

const authSchema = named(
  z.strictObject({
    mode: key(
      z.enum(["none", "jwt", "custom"]),
      "Authentication mode: `none` lets everybody do everything, `jwt` requires a valid token, " +
        "`custom` calls the function `auth.custom`",
      { default: "none", env: "TASKCAST_AUTH_MODE" },
    ),
    jwt: key(jwt, "Settings for the mode `jwt`"),
    custom: key(
      code<AuthFunction>("AuthFunction", "a function", (value) => typeof value === "function"),
      "Function for the mode `custom`: returns the caller's rights, or null to reject the request",
    ),
  }),
  "AuthConfig",
  "Authentication of callers.",
);

assertSameType<Same<z.output<typeof authSchema>, AuthConfig>>();

/** Authentication of callers. */
export const auth: z.ZodType<AuthConfig, AuthConfig> = authSchema;

type TrustedServicesConfig = Record<string, string | TrustedServiceConfig>;

const serviceKey = () => secret(z.string().min(16));

const trustedServicesSchema = z.record(
  text(),
  secret(z.union([
    serviceKey(),
    named(
      z.strictObject({
        key: serviceKey().describe(
          "Key that the service sends as `X-Taskcast-Service-Key`, at least 16 characters",
        ),
        scope: key(
          z.array(typed(z.enum(SCOPES), "Scope")).min(1),
          "Scopes of the service",
          { defaultText: "all" },
        ),
        taskIds: key(
          z.union([expecting(z.literal("*"), '"*"'), texts()]),
          "Ids of the tasks that it may access",
          { defaultText: "all" },
        ),
      }),
      "TrustedServiceConfig",
      "A service that authenticates with a key.",
    ),
  ])),
);

assertSameType<Same<z.output<typeof trustedServicesSchema>, TrustedServicesConfig>>();

/** Services that authenticate with a key, by name. */
export const trustedServices: z.ZodType<TrustedServicesConfig, TrustedServicesConfig> =
  trustedServicesSchema;
