import { decodeAddressPart, readAddressParameters } from "@taskcast/core/adapter";
import type { PostgresTls } from "./tls.ts";
import { TLS_PARAMETERS, TLS_REFUSED, tlsOf } from "./tls.ts";
import { wrong, wrongValue } from "./wrong_address.ts";

/** The parts of a PostgreSQL address. Missing parts use the driver's defaults. */
export interface PostgresAddress {
  /** Hosts, tried in turn. */
  hosts: { host: string; port?: number }[];
  user?: string;
  password?: string;
  database?: string;
  tls?: PostgresTls;
  /** Starts TLS at once instead of negotiating it (PostgreSQL 17). */
  tlsAtOnce?: true;
  /** Seconds that connecting may take. */
  connectSeconds?: number;
  /** `false` for a pooler without support for prepared statements. */
  prepares?: false;
  /** The required kind of server, if there are several hosts. */
  target?: string;
  /** Session settings, sent when a connection is made. */
  settings: Record<string, string>;
}

/** PostgreSQL settings that may be parameters of an address. Others go into `options`. */
const SETTINGS: readonly string[] = [
  "application_name",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "lock_timeout",
  "options",
  "role",
  "search_path",
  "statement_timeout",
  "timezone",
  "TimeZone",
  "transaction_timeout",
];

/** Parts of an address that may also be parameters, as in libpq. */
const PARTS = ["host", "port", "user", "password", "dbname"];

const OTHERS = [
  "client_encoding",
  "connect_timeout",
  "gssencmode",
  "pgbouncer",
  "prepare",
  "prepared_statements",
  "target_session_attrs",
];

const USED: readonly string[] = [...PARTS, ...SETTINGS, ...OTHERS, ...TLS_PARAMETERS];

/**
 * Parameters that hosting services and other clients add to addresses and that change nothing here.
 */
const IGNORED: readonly string[] = [
  // The driver does SCRAM without channel binding, as most do.
  "channel_binding",
  // libpq: keepalives and Kerberos.
  ...["fallback_application_name", "keepalives", "keepalives_count", "keepalives_idle"],
  ...["keepalives_interval", "krbsrvname", "gsslib", "load_balance_hosts", "passfile"],
  ...["sslcompression", "sslsni", "tcp_user_timeout"],
  // Prisma.
  ...["connection_limit", "max_connection_lifetime", "max_idle_connection_lifetime"],
  ...["pool_timeout", "schema", "single_use_connections", "socket_timeout", "statement_cache_size"],
  // Supabase on Vercel, node-postgres.
  ...["supa", "uselibpqcompat", "workaround"],
  // pgx, Rails, SQLAlchemy, postgres.js.
  ...["default_query_exec_mode", "description_cache_capacity", "statement_cache_capacity"],
  ...["pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time"],
  ...["pool_health_check_period", "pool", "reaping_frequency", "encoding"],
  ...["prepared_statement_cache_size", "idle_timeout", "keep_alive", "max", "max_lifetime"],
];

const REFUSED: Readonly<Record<string, string>> = {
  ...TLS_REFUSED,
  replication: "Taskcast is no replica",
  require_auth: "which way of logging in is used cannot be required",
  requirepeer: "the other end of a socket cannot be asked who it is",
  service: "files of services are not read; write the parts into the address",
  servicefile: "files of services are not read; write the parts into the address",
};

const MAX_CONNECT_SECONDS = 60;

/**
 * Parses an address such as `postgres://user:password@host:5432/database?sslmode=require`, as
 * hosting services provide it. Every part may be percent-encoded.
 *
 * @throws {TypeError} If the address is invalid or asks for something unsupported; the message
 *   contains no part of the address but parameter names.
 */
export function parsePostgresAddress(url: string): PostgresAddress {
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url)) {
    throw wrong("must begin with postgres://");
  }
  const [, authority, path = "", query = "", rest] =
    /^\w+:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?([^]*)$/.exec(url)!;
  // Text before an @ may be the end of an unencoded password.
  if (rest !== "" || path.includes("@") || query.includes("@")) throw unescaped();
  const at = authority!.lastIndexOf("@");
  const login = loginIn(at < 0 ? "" : authority!.slice(0, at));
  const parameters = parametersIn(query);
  const get = (name: string) => parameters.get(name) || undefined;
  const list = get("host") ?? authority!.slice(at + 1);
  const port = get("port");
  const database = get("dbname") ?? (path === "" ? undefined : decodeAddressPart(path));
  const address: PostgresAddress = {
    ...login,
    hosts: list === "" ? [] : list.split(",").map((text) => hostIn(text, port)),
    settings: settingsIn(parameters),
  };
  if (list === "" && port !== undefined) {
    address.hosts = [{ host: "localhost", port: portIn(port) }];
  }
  address.user = get("user") ?? address.user;
  address.password = get("password") ?? address.password;
  address.database = database;
  address.tls = tlsOf(get);
  if (get("sslnegotiation") === "direct") address.tlsAtOnce = true;
  address.connectSeconds = connectSecondsIn(get("connect_timeout"));
  address.target = targetIn(get("target_session_attrs"));
  const speaksOfPooler = isOn(get("pgbouncer")) || isOff(get("prepare")) ||
    isOff(get("prepared_statements"));
  if (speaksOfPooler) address.prepares = false;
  refuseOthers(get);
  return withoutNul(address);
}

function parametersIn(query: string): Map<string, string> {
  try {
    return readAddressParameters(query, { used: USED, ignored: IGNORED, refused: REFUSED });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function loginIn(text: string): Pick<PostgresAddress, "user" | "password"> {
  const colon = text.indexOf(":");
  const user = decodeAddressPart(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decodeAddressPart(text.slice(colon + 1));
  return { ...(user !== "" && { user }), ...(password !== "" && { password }) };
}

/** Returns the host: a name, an address, or, from the first slash on, the folder of a socket. */
function hostIn(text: string, otherwise: string | undefined): { host: string; port?: number } {
  const plain = decodeAddressPart(text.trim());
  if (plain.startsWith("/")) {
    const [, folder, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(plain)!;
    return { host: folder!, port: portIn(port ?? otherwise) };
  }
  const [, ip6, name, port] =
    /^(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(plain) ?? [];
  const host = ip6 ?? name;
  if (host === undefined) throw unescaped();
  return { host, port: portIn(port ?? otherwise) };
}

function portIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw wrong("has a port that is not from 1 to 65535");
  }
  return port;
}

function settingsIn(parameters: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...parameters].filter(([name]) => SETTINGS.includes(name)));
}

/** Zero means no limit elsewhere, so it becomes the maximum. */
function connectSecondsIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw wrongValue("connect_timeout", "must be a number of seconds");
  return Math.min(Number(text) || MAX_CONNECT_SECONDS, MAX_CONNECT_SECONDS);
}

function targetIn(text: string | undefined): string | undefined {
  if (text === undefined || text === "any") return undefined;
  if (text === "read-write" || text === "primary") return text;
  throw wrongValue("target_session_attrs", "must be read-write, primary or any: tasks are written");
}

function refuseOthers(get: (name: string) => string | undefined): void {
  if (!/^(postgres|direct)$/.test(get("sslnegotiation") ?? "postgres")) {
    throw wrongValue("sslnegotiation", "must be postgres or direct");
  }
  if (!/^(utf-?8|auto|unicode)$/i.test(get("client_encoding") ?? "auto")) {
    throw wrongValue("client_encoding", "must be UTF8");
  }
  if (get("gssencmode") === "require") {
    throw wrongValue("gssencmode", "must not be require: GSSAPI is not spoken; use sslmode");
  }
}

const isOn = (text: string | undefined) => /^(true|1|on|yes)$/i.test(text ?? "");
const isOff = (text: string | undefined) => /^(false|0|off|no)$/i.test(text ?? "");

/** Refuses NUL: the driver ends strings with it, so another setting could follow. */
function withoutNul(address: PostgresAddress): PostgresAddress {
  const { user, password, database, settings } = address;
  if ([user, password, database, ...Object.values(settings)].some((text) => text?.includes("\0"))) {
    throw wrong("has %00 in it");
  }
  return address;
}

function unescaped(): TypeError {
  return wrong(
    "has a host or a port that is none; in a password every / ? # @ : and % must be written as " +
      "%2F %3F %23 %40 %3A %25",
  );
}
