import { decodeAddressPart } from "@taskcast/core/adapter";
import { parametersOf } from "./parameters.ts";
import type { RedisTls } from "./tls.ts";
import { tlsOf } from "./tls.ts";
import { wrong } from "./wrong_address.ts";

/** Host name and port. */
export interface RedisHost {
  host: string;
  port: number;
}

/** The location of Redis: one server, nodes of a cluster, or Sentinels that know the server. */
export type RedisAddress =
  & {
    /** TLS options; absent without TLS. */
    tls?: RedisTls;
    username?: string;
    password?: string;
    /** IP version for name lookups: 4, 6, or 0 for either. */
    family?: number;
  }
  & (
    | ({ kind: "server"; db: number } & RedisHost)
    | { kind: "cluster"; nodes: RedisHost[] }
    | {
      kind: "sentinel";
      sentinels: RedisHost[];
      /** Name of the master. */
      name: string;
      db: number;
      sentinelUsername?: string;
      sentinelPassword?: string;
    }
  );

const PARTS =
  /^redis(s?)(-cluster|-sentinel)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)([^@?#]*)(?:\?([^#]*))?$/;

/**
 * Parses an address.
 *
 * @throws {TypeError} If the address is invalid. The message contains no part of the address, which
 *   may have a password.
 */
export function parseAddress(url: string): RedisAddress {
  if (!/^rediss?(-cluster|-sentinel)?:\/\//.test(url)) {
    throw wrong(
      "must begin with redis:// or rediss://, or for several servers with redis-cluster:// or " +
        "redis-sentinel:// (rediss-… for TLS)",
    );
  }
  // Some clients accept redis://a,redis://b.
  const [, s, which, credentials = "", list, path = "", query = ""] =
    PARTS.exec(url.replace(/,\s*rediss?:\/\/(?=[^@/]*(?:,|\/|$))/g, ",")) ?? [];
  if (list === undefined || query.includes("@")) {
    throw wrong(
      "names user and password once, before the first host; in a password every / ? # @ : and % must " +
        "be written as %2F %3F %23 %40 %3A %25",
    );
  }
  const parameters = parametersOf(query);
  const common = commonIn(parameters, { secure: s === "s", credentials });
  const hosts = list.split(",").map((text) => text.trim());
  if (which === "-sentinel") return sentinelAddress(common, { hosts, path, parameters });
  refuseSentinelParameters(parameters);
  if (which === undefined && hosts.length === 1) {
    const db = databaseIn(/^\/?(.*)$/.exec(path)![1]!, parameters);
    const host = hosts[0] === "" ? { host: "localhost", port: 6379 } : hostIn(hosts[0]!, 6379);
    return { kind: "server", ...common, ...host, db };
  }
  if (!/^(\/0?)?$/.test(path) || Number(parameters.get("db") ?? 0) !== 0) {
    throw wrong("has a database behind the hosts, but a cluster has one database");
  }
  return { kind: "cluster", ...common, nodes: hosts.map((text) => hostIn(text, 6379)) };
}

type Common = Pick<RedisAddress, "tls" | "username" | "password" | "family">;

function commonIn(
  parameters: ReadonlyMap<string, string>,
  { secure, credentials }: { secure: boolean; credentials: string },
): Common {
  const tls = tlsOf(parameters, secure);
  const family = parameters.get("family");
  if (family !== undefined && !/^(0|4|6|IPv4|IPv6)$/.test(family)) {
    throw wrong('has a parameter "family" that is not 0, 4 or 6');
  }
  const { username, password } = parameters.get("username") || parameters.get("password")
    ? Object.fromEntries(parameters)
    : {};
  return {
    ...(tls && { tls }),
    ...(username && { username }),
    ...(password && { password }),
    ...credentialsIn(credentials),
    ...(family !== undefined && { family: Number(family.replace("IPv", "")) }),
  };
}

function sentinelAddress(
  common: Common,
  { hosts, path, parameters }: {
    hosts: string[];
    path: string;
    parameters: ReadonlyMap<string, string>;
  },
): RedisAddress {
  const [, name, db = ""] = /^\/([^/]+)(?:\/(\d{1,4})?)?$/.exec(path) ?? [];
  if (name === undefined) {
    throw wrong(
      "of Sentinels needs the name of the master behind the hosts, and may have the number of a " +
        "database behind that: redis-sentinel://host:26379,host:26379/mymaster/0",
    );
  }
  const sentinelUsername = parameters.get("sentinelUsername");
  const sentinelPassword = parameters.get("sentinelPassword");
  return {
    kind: "sentinel",
    ...common,
    sentinels: hosts.map((text) => hostIn(text, 26379)),
    name: decodeAddressPart(name),
    db: databaseIn(db, parameters),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  };
}

function refuseSentinelParameters(parameters: ReadonlyMap<string, string>): void {
  for (const name of ["sentinelUsername", "sentinelPassword"]) {
    if (parameters.has(name)) throw wrong(`has "${name}", which is for redis-sentinel:// only`);
  }
}

/** Returns the database number, from the path or from the parameter `db`. */
function databaseIn(path: string, parameters: ReadonlyMap<string, string>): number {
  if (!/^\d{0,4}$/.test(path)) {
    throw wrong("has a path that must be the number of a database, such as /1");
  }
  const named = parameters.get("db") ?? path;
  if (!/^\d{0,4}$/.test(named)) throw wrong('has a parameter "db" that is no number of a database');
  if (path !== "" && Number(named) !== Number(path)) {
    throw wrong('names one database in its path and another in "db"');
  }
  return Number(named);
}

function credentialsIn(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(":");
  const username = decodeAddressPart(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decodeAddressPart(text.slice(colon + 1));
  return { ...(username !== "" && { username }), ...(password !== "" && { password }) };
}

function hostIn(text: string, defaultPort: number): RedisHost {
  const [, ip6, name, port] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = ip6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw wrong("has a host that is none, or a port that is not from 1 to 65535");
  }
  return { host, port: number };
}
