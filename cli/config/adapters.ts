import type { AdapterRole } from "@taskcast/core/adapter";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import type { AdaptersConfig } from "@taskcast/core/config";
import { assertAddress } from "../server/address.ts";
import type { ExplicitValue } from "./explicit.ts";
import type { Layers, Source } from "./layers.ts";
import type { Provider } from "./provider.ts";
import { isNamed } from "./provider.ts";
import { PROVIDER_DEFAULTS } from "./schema/keys.ts";

/** The roles that hold a server's live tasks; `TASKCAST_STORAGE` sets both. */
const LIVE_ROLES = ["broadcast", "shortTerm"] as const;

/** Providers that need an address. */
const REMOTE: readonly string[] = ["redis", "postgres"];

/**
 * Chooses the adapters. An explicit name wins, then the file, then the provider whose address or path
 * is explicit, then memory. Explicit addresses and options then go into every adapter that takes them;
 * one that no adapter takes is a problem, since somebody expects it to be used.
 *
 * @param file The configuration file's name in messages; empty if there is none.
 * @returns The problems found, one line each.
 */
export function chooseAdapters(
  layers: Layers,
  explicit: readonly ExplicitValue[],
  file: string,
): string[] {
  const adapters = ownAdapters(layers);
  const problems: string[] = [];
  const find = (provider: string | undefined, option: string) =>
    explicit.find(({ key }) => key.provider === provider && key.path === `adapters.*.${option}`);
  const name = find(undefined, "provider");
  const sqlitePath = find("sqlite", "path");
  const redisUrl = find("redis", "url");
  const postgresUrl = find("postgres", "url");

  if (name !== undefined) {
    for (const role of LIVE_ROLES) choose(role, name.value as string, name.source);
  } else if (adapters.broadcast === undefined && adapters.shortTerm === undefined) {
    const [provider, source]: [string, Source] = sqlitePath !== undefined
      ? ["sqlite", sqlitePath.source]
      : redisUrl !== undefined
      ? ["redis", redisUrl.source]
      : ["memory", { from: "default" }];
    for (const role of LIVE_ROLES) choose(role, provider, source);
  } else problems.push(...completeLiveRoles(layers, adapters, file));
  // A PostgreSQL address without another use is that of the archive.
  if (
    postgresUrl !== undefined && name?.value !== "postgres" && adapters.longTerm === undefined &&
    rolesOf(adapters, "postgres").length === 0
  ) {
    choose("longTerm", "postgres", postgresUrl.source);
  }

  for (const { key, value, source } of explicit) {
    if (key.provider === undefined) continue;
    const option = key.path.slice("adapters.*.".length);
    // Only the broadcast adapter listens; the others get the address too, to be opened with it.
    const isUsed = option !== "listenUrl" || providerOf(adapters.broadcast) === key.provider;
    const roles = isUsed ? rolesOf(adapters, key.provider) : [];
    if (roles.length === 0) {
      const storage = providerOf(adapters.shortTerm);
      const problem = unusedProblem({ key, value, source }, storage, file);
      if (problem !== undefined) problems.push(problem);
    }
    for (const role of roles) {
      (adapters[role] as Provider)[option] = value;
      layers.sources.set(`adapters.${role}.${option}`, source);
    }
  }
  problems.push(...missingAddresses(adapters, name?.source, file), ...badAddresses(adapters));
  return problems;

  /** Sets the provider of a role. The options of a file stay if its provider is the same. */
  function choose(role: AdapterRole, provider: string, source: Source): void {
    const before = adapters[role];
    if (before === undefined || providerOf(before) !== provider) {
      for (const path of [...layers.sources.keys()]) {
        if (path === `adapters.${role}` || path.startsWith(`adapters.${role}.`)) {
          layers.sources.delete(path);
        }
      }
      Object.assign(adapters, { [role]: { provider } });
    }
    layers.sources.set(`adapters.${role}.provider`, source);
  }
}

/** Replaces the adapters of a configuration by copies that may be modified, and returns them. */
function ownAdapters(layers: Layers): AdaptersConfig {
  const adapters = Object.fromEntries(
    Object.entries(layers.config.adapters ?? {})
      .map(([role, adapter]) => [role, isNamed(adapter) ? { ...adapter } : adapter]),
  ) as AdaptersConfig;
  layers.config = { ...layers.config, adapters };
  return adapters;
}

/** Gives the role that is missing the adapter of the other one, where one adapter can play both. */
function completeLiveRoles({ sources }: Layers, adapters: AdaptersConfig, file: string): string[] {
  const [missing, present] = adapters.broadcast === undefined
    ? ["broadcast", "shortTerm"] as const
    : ["shortTerm", "broadcast"] as const;
  const other = adapters[present];
  if (adapters[missing] !== undefined) return [];
  if (!isNamed(other) || !(other.provider in PROVIDER_DEFAULTS)) {
    return [
      `${file}: adapters.${missing}: is missing; only built-in adapters can play both roles, so name it as well`,
    ];
  }
  Object.assign(adapters, { [missing]: { ...other } });
  for (const option of Object.keys(other)) {
    const source = sources.get(`adapters.${present}.${option}`);
    if (source !== undefined) sources.set(`adapters.${missing}.${option}`, source);
  }
  return [];
}

function unusedProblem(
  { key: { provider, env }, value, source }: ExplicitValue,
  storage: string,
  file: string,
): string | undefined {
  const actual = file === ""
    ? `the storage is "${storage}"`
    : `the storage in ${file} is "${storage}"`;
  const name = source.from === "flag" ? source.name : env;
  if (env === "TASKCAST_AUTO_MIGRATE") {
    return value === false
      ? "--no-auto-migrate needs --postgres-url or TASKCAST_POSTGRES_URL"
      : undefined;
  }
  if (env === "TASKCAST_POSTGRES_LISTEN_URL") {
    return `${name} needs wake-ups on PostgreSQL: --storage postgres or TASKCAST_STORAGE=postgres`;
  }
  switch (provider) {
    case "sqlite":
      return "A SQLite path needs --storage sqlite or TASKCAST_STORAGE=sqlite" +
        (file === "" ? "" : `, and ${actual}`);
    case "redis":
      return `A Redis address needs --storage redis or TASKCAST_STORAGE=redis, and ${actual}`;
    case "memory":
      return `${name} needs the storage memory, and ${actual}`;
    default:
      return `${name} has no effect: adapters.longTerm of ${file} is not postgres`;
  }
}

function missingAddresses(
  adapters: AdaptersConfig,
  named: Source | undefined,
  file: string,
): string[] {
  const problems = new Set<string>();
  for (const [role, { provider, url }] of remoteAdapters(adapters)) {
    if (url !== undefined && url !== "") continue;
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
  for (const [, { provider, url, listenUrl }] of remoteAdapters(adapters)) {
    for (const address of [url, listenUrl]) {
      if (address === "") continue;
      try {
        assertAddress(provider, address);
      } catch (error) {
        problems.add((error as Error).message);
      }
    }
  }
  return [...problems];
}

function remoteAdapters(adapters: AdaptersConfig): [AdapterRole, Provider][] {
  return ADAPTER_ROLES.flatMap((role): [AdapterRole, Provider][] => {
    const adapter: unknown = adapters[role];
    return isNamed(adapter) && REMOTE.includes(adapter.provider) ? [[role, adapter]] : [];
  });
}

/** Returns the roles that a provider plays. */
function rolesOf(adapters: AdaptersConfig, provider: string): AdapterRole[] {
  return ADAPTER_ROLES.filter((role) => providerOf(adapters[role]) === provider);
}

function providerOf(adapter: unknown): string {
  return isNamed(adapter) ? adapter.provider : "of your own";
}
