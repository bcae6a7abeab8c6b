import { readFileSync } from "node:fs";
import { wrong } from "./wrong_address.ts";

/** Options for `tls.connect()`. */
export interface RedisTls {
  /** Trusted certificates, instead of the default ones. */
  ca?: string;
  /** The client certificate. */
  cert?: string;
  /** The key of the client certificate. */
  key?: string;
  /** `false` accepts any certificate. @default {true} */
  rejectUnauthorized?: false;
  /** Set if the certificate may be for any name. */
  checkServerIdentity?: () => undefined;
}

/** TLS parameters of an address, as redis-py, Celery, go-redis and Lettuce write them. */
export const TLS_PARAMETERS: readonly string[] = [
  "skip_verify",
  "ssl",
  "ssl_ca_certs",
  "ssl_cert_reqs",
  "ssl_certfile",
  "ssl_check_hostname",
  "ssl_keyfile",
  "tls",
  "verifyPeer",
];

/** TLS parameters that would change behavior but are not supported. */
export const TLS_REFUSED: Readonly<Record<string, string>> = {
  ssl_ca_data: "name a file as ssl_ca_certs",
  ssl_ca_path: "name a file as ssl_ca_certs",
  ssl_ciphers: "ciphers are the runtime's to choose",
  ssl_min_version: "versions of TLS are the runtime's to choose",
  ssl_password: "the key must not be encrypted",
  ssl_validate_ocsp: "revoked certificates are not asked for",
};

/**
 * Returns the TLS options of an address.
 *
 * @param secure The scheme asks for TLS.
 * @returns `undefined` without TLS.
 * @throws {TypeError} For an invalid value, a contradiction, or an unreadable file.
 */
export function tlsOf(
  parameters: ReadonlyMap<string, string>,
  secure: boolean,
): RedisTls | undefined {
  const wanted = ["tls", "ssl"].flatMap((name) => booleanOf(name, parameters.get(name)) ?? []);
  if (wanted.includes(false) && (secure || wanted.includes(true))) {
    throw wrong("asks for TLS and against it");
  }
  const about = TLS_PARAMETERS.filter((name) => parameters.has(name) && !/^(tls|ssl)$/.test(name));
  if (!secure && !wanted.includes(true)) {
    if (about.length === 0) return undefined;
    throw wrong(`has the parameter "${about[0]}", but no TLS: begin it with rediss`);
  }
  const ca = fileOf("ssl_ca_certs", parameters);
  const cert = fileOf("ssl_certfile", parameters);
  const key = fileOf("ssl_keyfile", parameters);
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong("needs ssl_certfile and ssl_keyfile, or neither");
  }
  const anyName = booleanOf("ssl_check_hostname", parameters.get("ssl_check_hostname")) === false ||
    parameters.get("verifyPeer") === "CA";
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
    ...(!verifies(parameters) && { rejectUnauthorized: false as const }),
    ...(anyName && { checkServerIdentity: () => undefined }),
  };
}

function verifies(parameters: ReadonlyMap<string, string>): boolean {
  const wanted = parameters.get("ssl_cert_reqs");
  const [, level] = /^(?:(?:ssl\.)?cert_)?(none|optional|required)$/i.exec(wanted ?? "required") ??
    [];
  if (level === undefined) {
    throw wrong('has a parameter "ssl_cert_reqs" that is not none, optional or required');
  }
  const peer = parameters.get("verifyPeer") ?? "FULL";
  if (!/^(FULL|CA|NONE|true|false)$/i.test(peer)) {
    throw wrong('has a parameter "verifyPeer" that is not FULL, CA or NONE');
  }
  return level.toLowerCase() !== "none" && !/^(NONE|false)$/i.test(peer) &&
    booleanOf("skip_verify", parameters.get("skip_verify")) !== true;
}

function booleanOf(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw wrong(`has a parameter "${name}" that is not true or false`);
}

function fileOf(name: string, parameters: ReadonlyMap<string, string>): string | undefined {
  const path = parameters.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as { code?: string };
    throw wrong(`has a parameter "${name}" that must name a file that can be read (${code})`);
  }
}
