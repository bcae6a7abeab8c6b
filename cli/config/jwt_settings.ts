import type { JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
import { mergeConfig } from "./effective.ts";
import type { Environment, StartFlags } from "./layers.ts";

/** Settings with which a server's tokens are signed. */
export interface JwtSettings {
  /** Signature algorithm. */
  algorithm: JwtAlgorithm;
  /** The setting of the algorithm, as its author wrote it: a variable, or a key of a file. */
  algorithmName: string;
  /** Secret for HS256. */
  secret?: string;
  /** Accepts secrets that can be guessed. */
  allowShortSecrets?: boolean;
  /** Names of the settings that may hold the secret. */
  secretNames: string;
  /** Issuer; the first of several. */
  issuer?: string;
  /** Audience; the first of several. */
  audience?: string;
  /** Names of the claims that hold rights. */
  claims?: JwtClaims;
}

/**
 * Reads the settings of tokens as `start` does, without checking whether the rest of the configuration
 * fits together.
 *
 * @param folder The working folder.
 * @throws {SettingsError} With all problems, one line each.
 */
export async function jwtSettings(
  flags: Pick<StartFlags, "config">,
  env: Environment,
  folder: string,
): Promise<JwtSettings> {
  const { config, sources, file } = await mergeConfig(flags, env, folder);
  const { allowShortSecrets = false } = config;
  const { algorithm = "HS256", secret, issuer, audience, claims = {} } = config.auth?.jwt ?? {};
  const isOfFile = sources.get("auth.jwt.algorithm")?.from === "file";
  return {
    algorithm,
    algorithmName: isOfFile ? `${file!.name}: auth.jwt.algorithm: ` : "TASKCAST_JWT_ALGORITHM=",
    secret,
    allowShortSecrets,
    secretNames: file === undefined
      ? "TASKCAST_JWT_SECRET"
      : `auth.jwt.secret of ${file.name}, or TASKCAST_JWT_SECRET,`,
    issuer: [issuer].flat()[0],
    audience: [audience].flat()[0],
    claims,
  };
}
