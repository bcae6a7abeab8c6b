import { readFileSync } from "node:fs";
import { wrong } from "./wrong_address.ts";

/** Options for `tls.connect()`. */
export interface RedisTls {
  /** Certificates that are trusted, instead of the usual ones. */
  ca?: string;
  /** The certificate of this client. */
  cert?: string;
  /** Its key. */
  key?: string;
  /** `false`: any certificate will do. @default {true} */
  rejectUnauthorized?: false;
  /** Set where a certificate may be for any name. */
  checkServerIdentity?: () => undefined;
}

/** Parameters of an address that are about TLS, as redis-py, Celery, go-redis and Lettuce have them. */
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

/** Parameters that would matter and are not supported. */
export const TLS_REFUSED: Readonly<Record<string, string>> = {
  ssl_ca_data: "name a file as ssl_ca_certs",
  ssl_ca_path: "name a file as ssl_ca_certs",
  ssl_ciphers: "ciphers are the runtime's to choose",
  ssl_min_version: "versions of TLS are the runtime's to choose",
  ssl_password: "the key must not be encrypted",
  ssl_validate_ocsp: "revoked certificates are not asked for",
};

/**
 * Reads how connections are encrypted.
 *
 * @param secure The scheme says that they are.
 * @returns `undefined`: they are not.
 * @throws {TypeError} For a value that is none, a contradiction, or a file that cannot be read.
 */
export function tlsOf(
  parameters: ReadonlyMap<string, string>,
  secure: boolean,
): RedisTls | undefined {
  const wanted = ["tls", "ssl"].flatMap((name) => onOff(name, parameters.get(name)) ?? []);
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
  const anyName = onOff("ssl_check_hostname", parameters.get("ssl_check_hostname")) === false ||
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
    onOff("skip_verify", parameters.get("skip_verify")) !== true;
}

function onOff(name: string, text: string | undefined): boolean | undefined {
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
