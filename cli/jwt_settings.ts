import { JWT_ALGORITHMS } from "@taskcast/core";
import { oneOf } from "./setting_values.ts";
import type { Environment } from "./settings.ts";

/** How the tokens of a server are made, as its environment says. */
export interface JwtSettings {
  /** The signature. */
  algorithm: (typeof JWT_ALGORITHMS)[number];
  /** For HS256. */
  secret?: string;
  /** Who makes them. */
  issuer?: string;
  /** For whom. */
  audience?: string;
}

/** Reads the settings of tokens. @throws {SettingsError} For an algorithm that is not known. */
export function jwtSettings(env: Environment): JwtSettings {
  const given = (name: string) => env[name] || undefined;
  return {
    algorithm: oneOf(
      given("TASKCAST_JWT_ALGORITHM") ?? "HS256",
      "TASKCAST_JWT_ALGORITHM",
      JWT_ALGORITHMS,
    ),
    secret: given("TASKCAST_JWT_SECRET"),
    issuer: given("TASKCAST_JWT_ISSUER"),
    audience: given("TASKCAST_JWT_AUDIENCE"),
  };
}
