import { readFileSync } from "node:fs";
import { wrongValue } from "./wrong_address.ts";

/** The driver's `ssl` option; `prefer` falls back to no TLS if the server has none. */
export type PostgresTls = false | "prefer" | "require" | TlsOptions;

/** Options for `tls.connect()` to check certificates. */
export interface TlsOptions {
  /** Trusted certificates, instead of the default ones. */
  ca?: string;
  /** The client certificate. */
  cert?: string;
  /** The key of the client certificate. */
  key?: string;
  /** Passphrase of the key. */
  passphrase?: string;
  /** `false` accepts any certificate. */
  rejectUnauthorized: boolean;
  /** Set if the certificate may be for any name. */
  checkServerIdentity?: () => undefined;
}

/** The TLS parameters of an address. */
export const TLS_PARAMETERS: readonly string[] = [
  "ssl",
  "sslaccept",
  "sslcert",
  "sslkey",
  "sslmode",
  "sslnegotiation",
  "sslpassword",
  "sslrootcert",
];

/** TLS parameters that would change behavior but are not supported. */
export const TLS_REFUSED: Readonly<Record<string, string>> = {
  ssl_max_protocol_version: "versions of TLS are the runtime's to choose",
  ssl_min_protocol_version: "versions of TLS are the runtime's to choose",
  sslcrl: "lists of revoked certificates are not read",
  sslcrldir: "lists of revoked certificates are not read",
  sslidentity: "give the certificate and its key as sslcert and sslkey",
};

const MODES = [
  ...["disable", "allow", "prefer", "require", "no-verify", "verify-ca", "verify-full"],
] as const;

/**
 * Returns the TLS options of an address, as libpq, node-postgres and Prisma write them.
 *
 * @returns `undefined` if the address does not say.
 * @throws {TypeError} For an invalid value or an unreadable file.
 */
export function tlsOf(get: (name: string) => string | undefined): PostgresTls | undefined {
  const [root, cert, key] = [get("sslrootcert"), get("sslcert"), get("sslkey")];
  // Prisma's sslcert is what libpq calls sslrootcert; a client certificate has a key.
  const ca = root ?? (key === undefined ? cert : undefined);
  const mode = modeOf(get, ca);
  if (mode === undefined || mode === "disable") return mode && false;
  if (mode === "allow") return "prefer";
  const own = key === undefined ? {} : {
    cert: fileOf("sslcert", cert),
    key: fileOf("sslkey", key),
    passphrase: get("sslpassword"),
  };
  const hasFiles = ca !== undefined || key !== undefined;
  if (!hasFiles && !mode.startsWith("verify-")) return mode === "prefer" ? "prefer" : "require";
  return {
    ...own,
    ...(ca !== undefined && ca !== "system" &&
      { ca: fileOf(root ? "sslrootcert" : "sslcert", ca) }),
    rejectUnauthorized: mode.startsWith("verify-"),
    ...(mode === "verify-ca" && { checkServerIdentity: () => undefined }),
  };
}

function modeOf(
  get: (name: string) => string | undefined,
  ca: string | undefined,
): typeof MODES[number] | undefined {
  const accept = get("sslaccept");
  if (accept !== undefined && accept !== "strict" && accept !== "accept_invalid_certs") {
    throw wrongValue("sslaccept", "must be strict or accept_invalid_certs");
  }
  const named = get("sslmode") ?? modeOfSsl(get("ssl"));
  const mode = MODES.find((known) => known === named);
  if (named !== undefined && mode === undefined) {
    throw wrongValue(get("sslmode") ? "sslmode" : "ssl", `must be one of ${MODES.join(", ")}`);
  }
  if (mode === "disable") return mode;
  if (accept === "strict" || ca === "system") return "verify-full";
  // As in libpq, naming a certificate means checking it.
  const checks = ca !== undefined && accept === undefined;
  return checks && (mode === undefined || mode === "require") ? "verify-ca" : mode;
}

function modeOfSsl(text: string | undefined): string | undefined {
  if (/^(true|1|on)$/i.test(text ?? "")) return "verify-full";
  return /^(false|0|off)$/i.test(text ?? "") ? "disable" : text;
}

function fileOf(name: string, path: string | undefined): string {
  try {
    return readFileSync(path ?? "", "utf8");
  } catch (error) {
    const { code } = error as { code?: string };
    throw wrongValue(name, `must name a file that can be read (${code ?? "no such file"})`);
  }
}
