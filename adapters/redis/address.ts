/** A host and its port. */
export interface RedisHost {
  host: string;
  port: number;
}

/** Where Redis is: one server, nodes of a cluster, or Sentinels that know the server. */
export type RedisAddress =
  & { tls: boolean; username?: string; password?: string }
  & (
    | { kind: "server" }
    | { kind: "cluster"; nodes: RedisHost[] }
    | {
      kind: "sentinel";
      sentinels: RedisHost[];
      /** Of the master. */
      name: string;
      db: number;
      sentinelUsername?: string;
      sentinelPassword?: string;
    }
  );

const PARTS =
  /^redis(s?)(-cluster|-sentinel)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)([^@?#]*)(?:\?([^#]*))?$/;

/**
 * Reads an address.
 *
 * @throws {TypeError} If it is none; the message has nothing of the address, which may have a password.
 */
export function parseAddress(url: string): RedisAddress {
  if (!/^rediss?(-cluster|-sentinel)?:\/\//.test(url)) {
    throw wrong(
      "must begin with redis:// or rediss://, or for several servers with redis-cluster:// or " +
        "redis-sentinel:// (rediss-… for TLS)",
    );
  }
  // redis://a,redis://b is what some clients take.
  const [, s, which, credentials = "", list, path = "", query = ""] =
    PARTS.exec(url.replace(/,\s*rediss?:\/\/(?=[^@/]*(?:,|\/|$))/g, ",")) ?? [];
  if (list === undefined) {
    throw wrong(
      "names user and password once, before the first host; in a password every / ? # @ : and % must " +
        "be written as %2F %3F %23 %40 %3A %25",
    );
  }
  const common = { tls: s === "s", ...credentialsIn(credentials) };
  const hosts = list.split(",").map((text) => text.trim());
  if (which === "-sentinel") return sentinelAddress(common, { hosts, path, query });
  if (which === undefined && hosts.length === 1) return { kind: "server", ...common };
  if (!/^\/?$/.test(path) || query !== "") {
    throw wrong(
      "has nothing behind the hosts: a cluster has one database, and no options are known",
    );
  }
  return { kind: "cluster", ...common, nodes: hosts.map((text) => hostIn(text, 6379)) };
}

function sentinelAddress(
  common: { tls: boolean; username?: string; password?: string },
  { hosts, path, query }: { hosts: string[]; path: string; query: string },
): RedisAddress {
  const [, name, db = "0"] = /^\/([^/]+)(?:\/(\d{1,4})?)?$/.exec(path) ?? [];
  if (name === undefined) {
    throw wrong(
      "of Sentinels needs the name of the master behind the hosts, and may have the number of a " +
        "database behind that: redis-sentinel://host:26379,host:26379/mymaster/0",
    );
  }
  const options = new URLSearchParams(query);
  for (const key of options.keys()) {
    if (key !== "sentinelUsername" && key !== "sentinelPassword") {
      throw wrong("of Sentinels takes the options sentinelUsername and sentinelPassword only");
    }
  }
  const sentinelUsername = options.get("sentinelUsername") ?? undefined;
  const sentinelPassword = options.get("sentinelPassword") ?? undefined;
  return {
    kind: "sentinel",
    ...common,
    sentinels: hosts.map((text) => hostIn(text, 26379)),
    name: decoded(name),
    db: Number(db),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  };
}

function credentialsIn(text: string): { username?: string; password?: string } {
  const colon = text.indexOf(":");
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decoded(text.slice(colon + 1));
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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign.
  }
}

function wrong(problem: string): TypeError {
  return new TypeError(`createRedisAdapters(): the address ${problem}`);
}
