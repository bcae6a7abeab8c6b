import type { JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
import { saidConfig } from "./effective.ts";
import type { Environment, StartFlags } from "./layers.ts";

/** How the tokens of a server are made, as its configuration says. */
export interface JwtSettings {
  /** The signature. */
  algorithm: JwtAlgorithm;
  /** What said so, as it is called there: a variable, or a key of a file. */
  algorithmName: string;
  /** For HS256. */
  secret?: string;
  /** It may be one that can be guessed. */
  allowShortSecrets?: boolean;
  /** Where the secret is looked for. */
  secretNames: string;
  /** Who makes them; of several the first. */
  issuer?: string;
  /** For whom; of several the first. */
  audience?: string;
  /** Where the server looks for rights. */
  claims?: JwtClaims;
}

/**
 * Reads the settings of tokens as `start` does: environment before file. Whether the rest of the
 * configuration fits together is nothing to a token.
 *
 * @param folder The working folder.
 * @throws {SettingsError} For everything that is wrong, a line each.
 */
export async function jwtSettings(
  flags: Pick<StartFlags, "config">,
  env: Environment,
  folder: string,
): Promise<JwtSettings> {
  const { config, sources, file } = await saidConfig(flags, env, folder);
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
