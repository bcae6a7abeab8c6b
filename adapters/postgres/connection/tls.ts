import { readFileSync } from "node:fs";
import { wrongValue } from "./wrong_address.ts";

/** Values of the driver's `ssl`: `prefer` continues without TLS if the server has none. */
export type PostgresTls = false | "prefer" | "require" | TlsOptions;

/** Options for `tls.connect()`, with which certificates are checked. */
export interface TlsOptions {
  /** Certificates that are trusted, instead of the usual ones. */
  ca?: string;
  /** The certificate of this client. */
  cert?: string;
  /** Its key. */
  key?: string;
  /** Opens the key. */
  passphrase?: string;
  /** `false`: any certificate will do. */
  rejectUnauthorized: boolean;
  /** Set where a certificate may be for any name. */
  checkServerIdentity?: () => undefined;
}

/** Parameters of an address that are about TLS. */
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

/** Parameters that would matter and are not supported. */
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
 * Reads how a connection is to be encrypted, as libpq, node-postgres and Prisma write it.
 *
 * @returns `undefined` where the address does not say.
 * @throws {TypeError} For a value that is none, or a file that cannot be read.
 */
export function tlsOf(get: (name: string) => string | undefined): PostgresTls | undefined {
  const [root, cert, key] = [get("sslrootcert"), get("sslcert"), get("sslkey")];
  // Prisma's sslcert is what libpq calls sslrootcert; a certificate of one's own has a key.
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
  // A certificate that is named is meant to be checked, as libpq has it.
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
