import type { AdapterRole } from "@taskcast/core/adapter";
import type { AdaptersConfig } from "@taskcast/core/config";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { assertAddress } from "../server/address.ts";
import { PROVIDER_DEFAULTS } from "./defaults.ts";
import type { Layers, Source } from "./layers.ts";
import type { Provider } from "./provider.ts";
import { isNamed } from "./provider.ts";
import type { Given, Setting } from "./settings_table.ts";

const STORES = ["broadcast", "shortTerm"] as const;

/** Providers with an address. */
const REMOTE: readonly string[] = ["redis", "postgres"];

/** What the environment and the command line said about adapters. */
export type GivenAdapters = readonly (Given & { setting: Setting })[];

/**
 * Chooses the adapters: what is named; else what the file says; else what an address or a path is
 * given for; else memory. Then addresses and options are put into the adapters that take them.
 *
 * Whoever gives an address wants it to be used: one that would be left out is a problem.
 *
 * @returns What is wrong, a line each.
 */
export function chooseAdapters(layers: Layers, given: GivenAdapters, file: string): string[] {
  const adapters = layers.config.adapters ??= {};
  const problems: string[] = [];
  const find = (provider: string | undefined, key: string) =>
    given.find(({ setting }) =>
      setting.provider === provider && setting.path === `adapters.*.${key}`
    );
  const name = find(undefined, "provider");
  const path = find("sqlite", "path");
  const redisUrl = find("redis", "url");
  const postgresUrl = find("postgres", "url");

  if (name !== undefined) {
    for (const role of STORES) choose(role, name.value as string, name.source);
  } else if (adapters.broadcast === undefined && adapters.shortTerm === undefined) {
    const [kind, source] = path !== undefined
      ? ["sqlite", path.source]
      : redisUrl !== undefined
      ? ["redis", redisUrl.source]
      : ["memory", { from: "default" } as const];
    for (const role of STORES) choose(role, kind as string, source as Source);
  } else problems.push(...completeStores(layers, file));
  // An address of PostgreSQL that nothing else uses is that of the archive.
  if (
    postgresUrl !== undefined && name?.value !== "postgres" && adapters.longTerm === undefined &&
    namedOf(adapters, "postgres").length === 0
  ) {
    choose("longTerm", "postgres", postgresUrl.source);
  }

  for (const { setting, value, source } of given) {
    if (setting.provider === undefined) continue;
    const key = setting.path.slice("adapters.*.".length);
    // The others have it, too, so that they are opened together.
    const isTaken = key !== "listenUrl" || kindOf(adapters.broadcast) === setting.provider;
    const takers = isTaken ? namedOf(adapters, setting.provider) : [];
    if (takers.length === 0) {
      const unused = unusedMessage(setting, value, source, kindOf(adapters.shortTerm), file);
      if (unused !== undefined) problems.push(unused);
    }
    for (const role of takers) {
      (adapters[role] as Provider)[key] = key === "maxBytes" ? Number(value) * 1024 ** 2 : value;
      layers.sources.set(`adapters.${role}.${key}`, source);
    }
  }
  problems.push(...missingAddresses(layers, name?.source, file), ...badAddresses(adapters));
  return problems;

  /** Of a file's adapter the options stay, if it is of the provider that is named. */
  function choose(role: AdapterRole, provider: string, source: Source): void {
    const before = adapters[role];
    if (before === undefined || kindOf(before) !== provider) {
      for (const key of [...layers.sources.keys()]) {
        if (key === `adapters.${role}` || key.startsWith(`adapters.${role}.`)) {
          layers.sources.delete(key);
        }
      }
      Object.assign(adapters, { [role]: { provider } });
    }
    layers.sources.set(`adapters.${role}.provider`, source);
  }
}

/** Who has only one of the two gets the other from the same place, where that can be known. */
function completeStores(layers: Layers, file: string): string[] {
  const adapters = layers.config.adapters!;
  const [missing, there] = adapters.broadcast === undefined
    ? ["broadcast", "shortTerm"] as const
    : ["shortTerm", "broadcast"] as const;
  const other = adapters[there];
  if (adapters[missing] !== undefined) return [];
  if (!isNamed(other) || !(other.provider in PROVIDER_DEFAULTS)) {
    return [
      `${file}: adapters.${missing}: is missing, and only ours can be both: say what it is, too`,
    ];
  }
  Object.assign(adapters, { [missing]: { ...other } });
  for (const key of Object.keys(other)) {
    const source = layers.sources.get(`adapters.${there}.${key}`);
    if (source !== undefined) layers.sources.set(`adapters.${missing}.${key}`, source);
  }
  return [];
}

function unusedMessage(
  { provider, env }: Setting,
  value: unknown,
  source: Source,
  kind: string,
  file: string,
): string | undefined {
  const instead = file === "" ? `the storage is "${kind}"` : `the storage in ${file} is "${kind}"`;
  const flag = source.from === "flag" ? source.name : env;
  if (env === "TASKCAST_AUTO_MIGRATE") {
    return value === false
      ? "--no-auto-migrate needs --postgres-url or TASKCAST_POSTGRES_URL"
      : undefined;
  }
  if (env === "TASKCAST_POSTGRES_LISTEN_URL") {
    return `${flag} needs wake-ups on PostgreSQL: --storage postgres or TASKCAST_STORAGE=postgres`;
  }
  switch (provider) {
    case "sqlite":
      return "A SQLite path needs --storage sqlite or TASKCAST_STORAGE=sqlite" +
        (file === "" ? "" : `, and ${instead}`);
    case "redis":
      return `A Redis address needs --storage redis or TASKCAST_STORAGE=redis, and ${instead}`;
    case "memory":
      return `${flag} needs the storage memory, and ${instead}`;
    default:
      return `${flag} is used by nothing: adapters.longTerm of ${file} is not postgres`;
  }
}

function missingAddresses(layers: Layers, named: Source | undefined, file: string): string[] {
  const { adapters } = layers.config;
  const problems = new Set<string>();
  for (const role of ADAPTER_ROLES) {
    const adapter = adapters?.[role];
    if (!isNamed(adapter) || !REMOTE.includes(adapter.provider)) continue;
    if (adapter.url !== undefined && adapter.url !== "") continue;
    const { provider } = adapter;
    const variable = `TASKCAST_${provider.toUpperCase()}_URL`;
    problems.add(
      named !== undefined && role !== "longTerm"
        ? `--storage ${provider} needs --${provider}-url or ${variable}`
        : `${file}: adapters.${role}.url: is missing; ${provider} needs it, or ${variable}`,
    );
  }
  return [...problems];
}

function badAddresses(adapters: AdaptersConfig): string[] {
  const problems = new Set<string>();
  for (const role of ADAPTER_ROLES) {
    const adapter = adapters[role];
    if (!isNamed(adapter) || !REMOTE.includes(adapter.provider)) continue;
    for (const url of [adapter.url, adapter.listenUrl]) {
      if (url === "") continue;
      try {
        assertAddress(adapter.provider, url);
      } catch (error) {
        problems.add((error as Error).message);
      }
    }
  }
  return [...problems];
}

/** The roles that a provider plays. */
function namedOf(adapters: AdaptersConfig, provider: string): AdapterRole[] {
  return ADAPTER_ROLES.filter((role) => kindOf(adapters[role]) === provider);
}

function kindOf(adapter: unknown): string {
  return isNamed(adapter) ? adapter.provider : "of your own";
}
