import { dirname, resolve } from "node:path";
import type { TaskcastConfig } from "@taskcast/core";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { headerNameProblem, originProblem, secretProblem } from "@taskcast/core/internal";
import type { AuthOptions } from "@taskcast/server";
import { authOf } from "./auth_of.ts";
import type { GivenAdapters } from "./choose_adapters.ts";
import { chooseAdapters } from "./choose_adapters.ts";
import { cleanupProblems, cleanupWarnings } from "./cleanup_problems.ts";
import type { FoundFile } from "./file/find_file.ts";
import { findConfigFile } from "./file/find_file.ts";
import { readConfigFile } from "./file/read_file.ts";
import { allowedHosts, hostNameProblem, isLoopbackOnly } from "./host_of.ts";
import type { Environment, Layers, StartFlags } from "./layers.ts";
import { drop, noteSources, put } from "./layers.ts";
import { originsOf } from "./origins_of.ts";
import { fileOf, isNamed } from "./provider.ts";
import { SettingsError } from "./settings_error.ts";
import type { Given, Setting } from "./settings_table.ts";
import { given, SETTINGS } from "./settings_table.ts";
import { variableFlaws } from "./variables.ts";

/** A configuration that holds: everything that was said, checked. */
export interface Effective extends Layers {
  /** The file that was read, if there is one. */
  file?: FoundFile;
  /** Who may call, with keys read. */
  auth: AuthOptions;
  /** What was said and is not used, since what goes before it says something else. */
  warnings: string[];
}

/** What was said, before anybody asked whether it fits together. */
export interface Said extends Layers {
  /** The file that was read, if there is one. */
  file?: FoundFile;
  /** What the environment and the command line said. */
  given: GivenAdapters;
  /** What was said that nobody knows. */
  warnings: string[];
}

/**
 * Puts the configuration together: command line before environment before file before default.
 *
 * @param folder The working folder.
 * @throws {SettingsError} For everything that is wrong, a line each.
 */
export async function effectiveConfig(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<Effective> {
  const { file, given, warnings: unknown, ...layers } = await saidConfig(flags, env, folder);
  const name = file?.name ?? "";
  const problems = chooseAdapters(layers, given, name);
  const { auth, warnings, problems: authProblems } = await authOf(layers, name);
  problems.push(...authProblems, ...corsProblems(layers, name));
  problems.push(...secretProblems(layers, name));
  const hosts = hostProblems(layers, name);
  problems.push(...hosts.problems);
  warnings.push(...cleanupWarnings(layers.config), ...unknown, ...hosts.warnings);
  problems.push(...rateLimitProblems(layers, name));
  problems.push(...cleanupProblems(layers.config, name));
  fail(problems);
  return { ...layers, file, auth, warnings };
}

/**
 * Reads what the file, the environment and the command line say, each checked by itself. Adapters
 * are not chosen yet, and that parts fit together is not asked.
 *
 * @throws {SettingsError} For everything that is wrong, a line each.
 */
export async function saidConfig(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<Said> {
  const { problems, warnings } = variableFlaws(env);
  const said = SETTINGS.flatMap((setting): (Given & { setting: Setting })[] => {
    const one = collecting(problems, () => given(setting, flags, env));
    return one === undefined ? [] : [{ setting, ...one }];
  });
  const file = collecting(problems, () => findConfigFile(flags.config, folder));
  const layers: Layers = { config: {}, sources: new Map() };
  if (file !== undefined) {
    const checked = await readChecked(file, env, problems);
    if (checked !== undefined) {
      layers.config = fromFolder(checked, dirname(file.path));
      noteSources(layers, layers.config, [], { from: "file", name: file.name });
    }
  }
  fail(problems);

  for (const { setting, value, source } of said) {
    if (setting.path.includes("*")) continue;
    for (const path of setting.insteadOf ?? []) {
      if (layers.sources.get(path)?.from === "file") drop(layers, path);
    }
    put(layers, setting.path, value, source);
  }
  return { ...layers, file, given: said, warnings };
}

function fail(problems: readonly string[]): void {
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
}

/** Does something that may be wrong beside other things. */
function collecting<T>(problems: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

async function readChecked(
  file: FoundFile,
  env: Environment,
  problems: string[],
): Promise<TaskcastConfig | undefined> {
  try {
    // Only a file is checked as a whole, so its schema is loaded only where there is one.
    const { validate } = await import("./file/validate.ts");
    const { config, problems: flaws } = validate(await readConfigFile(file, env));
    for (const flaw of flaws ?? []) problems.push(`${file.name}: ${flaw}`);
    return config;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** What a file says of other files counts from its own folder. A copy: a program's object stays. */
function fromFolder(config: TaskcastConfig, folder: string): TaskcastConfig {
  const { auth, adapters } = config;
  const copy: TaskcastConfig = { ...config };
  if (auth !== undefined) copy.auth = { ...auth };
  if (auth?.jwt !== undefined) {
    copy.auth!.jwt = { ...auth.jwt };
    const { publicKeyFile, claims } = auth.jwt;
    if (claims !== undefined) copy.auth!.jwt.claims = { ...claims };
    if (publicKeyFile !== undefined) copy.auth!.jwt.publicKeyFile = resolve(folder, publicKeyFile);
  }
  if (config.cors !== undefined) copy.cors = { ...config.cors };
  if (config.sentry !== undefined) copy.sentry = { ...config.sentry };
  if (config.limits !== undefined) copy.limits = { ...config.limits };
  if (config.limits?.rateLimit !== undefined) {
    copy.limits!.rateLimit = { ...config.limits.rateLimit };
  }
  if (adapters === undefined) return copy;
  copy.adapters = { ...adapters };
  for (const role of ADAPTER_ROLES) {
    const adapter: unknown = adapters[role];
    if (!isNamed(adapter)) continue;
    const { provider } = adapter;
    const file = fileOf(adapter);
    const placed: Record<string, unknown> = { ...adapter };
    if (/^\.{1,2}\//.test(provider)) placed.provider = resolve(folder, provider);
    if (file !== undefined) placed.path = resolve(folder, file);
    Object.assign(copy.adapters, { [role]: placed });
  }
  return copy;
}

function corsProblems({ config: { cors }, sources }: Layers, file: string): string[] {
  if (cors === undefined) return [];
  if (cors.origin === undefined) return [`${file}: cors.origin: is missing, so cors allows nobody`];
  const problems = (cors.allowedHeaders ?? []).flatMap((name) => {
    const problem = headerNameProblem(name);
    return problem === undefined
      ? []
      : [`${file}: cors.allowedHeaders: ${JSON.stringify(name)} ${problem}`];
  });
  const origins = originsOf(cors.origin);
  if (origins === "*") {
    if (!cors.credentials) return problems;
    return [...problems, `${file}: cors.credentials: cannot be true while cors.origin is "*"`];
  }
  const source = sources.get("cors.origin");
  const at = source?.from === "env" || source?.from === "flag"
    ? source.name
    : `${file}: cors.origin`;
  const wrongOrigins = origins.flatMap((origin) => {
    const problem = originProblem(origin);
    return problem === undefined ? [] : [`${at}: ${JSON.stringify(origin)} ${problem}`];
  });
  return [...problems, ...wrongOrigins];
}

function secretProblems({ config, sources }: Layers, file: string): string[] {
  if (config.allowShortSecrets) return [];
  const { auth, ticketSecret } = config;
  const isUsed = auth?.mode === "jwt" && (auth.jwt?.algorithm ?? "HS256") === "HS256";
  const secrets = [
    ["auth.jwt.secret", isUsed ? auth.jwt?.secret : undefined],
    ["ticketSecret", ticketSecret],
  ] as const;
  return secrets.flatMap(([key, secret]) => {
    const problem = secret === undefined ? undefined : secretProblem(secret);
    if (problem === undefined) return [];
    const source = sources.get(key);
    const at = source?.from === "env" ? source.name : `${file}: ${key}:`;
    return [`${at} ${problem} (--allow-short-secrets takes it all the same)`];
  });
}

function hostProblems(
  { config, sources }: Layers,
  file: string,
): { problems: string[]; warnings: string[] } {
  if (config.allowHosts === undefined) return { problems: [], warnings: [] };
  const source = sources.get("allowHosts");
  const at = source?.from === "env" || source?.from === "flag"
    ? source.name
    : `${file}: allowHosts`;
  const problems = allowedHosts(config).flatMap((name) => {
    const problem = hostNameProblem(name);
    return problem === undefined ? [] : [`${at}: ${JSON.stringify(name)} ${problem}`];
  });
  const warnings = isLoopbackOnly(config) ? [] : [
    `${at} has no effect: names are compared only without authentication, without --host and ` +
    "without trustProxy",
  ];
  return { problems, warnings };
}

function rateLimitProblems({ config, sources }: Layers, file: string): string[] {
  const rateLimit = config.limits?.rateLimit;
  if (rateLimit === undefined || rateLimit.requestsPerSecond !== undefined) return [];
  const burst = sources.get("limits.rateLimit.burst");
  if (burst?.from === "env") return [`${burst.name} needs TASKCAST_RATE_LIMIT`];
  return [`${file}: limits.rateLimit.requestsPerSecond: is missing, so nothing is limited`];
}
