import { secretProblem } from "@taskcast/core/internal";
import type { Scope } from "@taskcast/core/protocol";
import { hintFor, SCOPES } from "@taskcast/core/protocol";
import type { CryptoKey, JWK } from "jose";
import { importJWK, importPKCS8, SignJWT } from "jose";
import type { JwtSettings } from "../config/jwt_settings.ts";
import { readText, UnreadableFile } from "../files/read_text.ts";
import { SettingsError } from "../config/settings_error.ts";
import type { Terminal } from "../command_line/terminal.ts";

/** Options of `taskcast token`. */
export interface TokenOptions {
  /** Subject of the token. */
  sub?: string;
  /** Ids separated by commas, or `*`. */
  taskIds?: string;
  /** Scopes, in separate arguments or separated by commas. */
  scope?: readonly string[];
  /** Lifetime in seconds. */
  expires: number;
  /** File with the private key, for algorithms other than HS256. */
  privateKeyFile?: string;
  /** Writes the token with its claims as JSON. */
  json: boolean;
}

/** Lifetime in seconds above which a warning is due, since a leaked token cannot be revoked. */
const LONG_SECONDS = 86_400;

/**
 * `taskcast token`: creates a token that a server with the same settings accepts, for trying things
 * out. Only the token is written to the output, so that it can be assigned to a variable.
 *
 * @returns The exit code.
 * @throws {SettingsError} If there is no key to sign with, or the token would have no rights.
 */
export async function token(
  options: TokenOptions,
  settings: JwtSettings,
  terminal: Terminal,
  nowMs: number = Date.now(),
): Promise<number> {
  const scope = scopesOf(options.scope ?? []);
  const taskIds = taskIdsOf(options.taskIds);
  // The server first looks for a claim with exactly this name, even if the name contains dots.
  const { claims: claimNames = {} } = settings;
  const [scopeClaim = "scope"] = [claimNames.scope ?? []].flat();
  const issuedAt = Math.floor(nowMs / 1000);
  const claims = {
    ...(settings.issuer !== undefined && { iss: settings.issuer }),
    ...(settings.audience !== undefined && { aud: settings.audience }),
    ...(options.sub !== undefined && { sub: options.sub }),
    ...(claimNames.taskIds !== "*" && { [claimNames.taskIds ?? "taskIds"]: taskIds }),
    [scopeClaim]: scope.map((one) => `${claimNames.prefix ?? ""}${one}`),
    iat: issuedAt,
    exp: issuedAt + options.expires,
  };
  const { key, kid } = await signingKey(settings, options.privateKeyFile);
  const signed = await new SignJWT(claims)
    .setProtectedHeader({ alg: settings.algorithm, ...(kid !== undefined && { kid }) })
    .sign(key).catch((cause) => {
      throw new SettingsError(
        `cannot sign with ${options.privateKeyFile}: ${(cause as Error).message}`,
      );
    });

  const warn = (text: string) => terminal.note(`${terminal.paint("yellow", "warn ")} ${text}`);
  if (scope.includes("*")) {
    warn(
      taskIds === "*"
        ? "this token may do everything with every task"
        : 'the scope "*" is everything, and also what later versions add',
    );
  }
  if (options.expires > LONG_SECONDS) {
    warn("this token is valid for more than a day and cannot be revoked");
  }
  if (claimNames.taskIds !== "*" && taskIds.length === 0) {
    warn("this token is for no task: give --task-ids");
  }
  const shown = options.json ? JSON.stringify({ token: signed, claims }) : signed;
  await terminal.out(`${shown}\n`);
  return 0;
}

function scopesOf(words: readonly string[]): Scope[] {
  const names = words.flatMap((word) => word.split(/[\s,]+/)).filter(Boolean);
  const unknown = names.find((name) => !(SCOPES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new SettingsError(`--scope: there is no scope "${unknown}"; ${hintFor(unknown, SCOPES)}`);
  }
  if (names.length === 0) {
    throw new SettingsError("--scope is missing: a token without scopes may do nothing");
  }
  return SCOPES.filter((scope) => names.includes(scope));
}

function taskIdsOf(text: string | undefined): "*" | string[] {
  const ids = (text ?? "").split(",").map((id) => id.trim()).filter(Boolean);
  return ids.includes("*") ? "*" : ids;
}

async function signingKey(
  { algorithm, algorithmName, secret, secretNames, allowShortSecrets }: JwtSettings,
  privateKeyFile: string | undefined,
): Promise<{ key: CryptoKey | Uint8Array; kid?: string }> {
  if (algorithm === "HS256") {
    if (privateKeyFile !== undefined) {
      throw new SettingsError(
        "--private-key-file is for other algorithms than HS256: set TASKCAST_JWT_ALGORITHM, or " +
          "auth.jwt.algorithm in the file",
      );
    }
    if (secret === undefined) {
      throw new SettingsError(
        `${secretNames} is missing: the token is signed with it`,
      );
    }
    const problem = allowShortSecrets ? undefined : secretProblem(secret);
    if (problem !== undefined) {
      throw new SettingsError(
        `the secret ${problem} (TASKCAST_ALLOW_SHORT_SECRETS=true accepts it anyway)`,
      );
    }
    return { key: new TextEncoder().encode(secret) };
  }
  if (privateKeyFile === undefined) {
    throw new SettingsError(
      `${algorithmName}${algorithm} is signed with a private key, which the server does not ` +
        "have: give --private-key-file",
    );
  }
  // Messages must not quote the file.
  let text: string;
  try {
    text = readText(privateKeyFile).trim();
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new SettingsError(`cannot read --private-key-file ${privateKeyFile}: ${error.message}`);
  }
  try {
    if (!text.startsWith("{")) return { key: await importPKCS8(text, algorithm) };
    const jwk = JSON.parse(text) as JWK;
    // Servers find the key in a key set by its id.
    return { key: await importJWK(jwk, algorithm), kid: jwk.kid };
  } catch {
    throw new SettingsError(
      `${privateKeyFile} holds no private key for ${algorithm}: it must be PEM (PKCS #8) or a JWK`,
    );
  }
}
