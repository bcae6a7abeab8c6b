import { dirname, resolve } from "node:path";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import type { TaskcastConfig } from "@taskcast/core/config";
import type { AuthOptions } from "@taskcast/server";
import { chooseAdapters } from "./adapters.ts";
import { chooseAuth } from "./auth.ts";
import { checkParts, hostWarnings } from "./checks.ts";
import type { ExplicitValue } from "./explicit.ts";
import { explicitValue } from "./explicit.ts";
import type { FoundFile } from "./file/find_file.ts";
import { findConfigFile } from "./file/find_file.ts";
import { readConfigFile } from "./file/read_file.ts";
import type { Environment, Layers, StartFlags } from "./layers.ts";
import { drop, noteSources, put } from "./layers.ts";
import { fileOf, isNamed } from "./provider.ts";
import { ENVIRONMENT_KEYS } from "./schema/keys.ts";
import { SettingsError } from "./settings_error.ts";
import { variableFlaws } from "./variables.ts";

/** The configuration in effect: merged from all sources, and checked. */
export interface EffectiveConfig extends Layers {
  /** The configuration file, if there is one. */
  file?: FoundFile;
  /** Authentication, with keys read from their files. */
  auth: AuthOptions;
  /** Settings without effect, one line each. */
  warnings: string[];
}

/** A configuration merged from all sources, before its parts are checked against each other. */
export interface MergedConfig extends Layers {
  /** The configuration file, if there is one. */
  file?: FoundFile;
  /** Values of the command line and the environment. */
  explicit: ExplicitValue[];
  /** Variables without effect, one line each. */
  warnings: string[];
}

/**
 * Returns the configuration in effect. The command line overrides the environment, which overrides
 * the file, which overrides the defaults.
 *
 * @param folder The working folder.
 * @throws {SettingsError} With all problems, one line each.
 */
export async function effectiveConfig(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<EffectiveConfig> {
  const { file, explicit, warnings: unknown, ...layers } = await mergeConfig(flags, env, folder);
  const name = file?.name ?? "";
  const adapterProblems = chooseAdapters(layers, explicit, name);
  const { auth, warnings, problems: authProblems } = await chooseAuth(layers, name, folder);
  const parts = checkParts(layers, name);
  assertNone([...adapterProblems, ...authProblems, ...parts.problems]);
  return {
    ...layers,
    file,
    auth,
    warnings: [...warnings, ...parts.warnings, ...unknown, ...hostWarnings(layers, name)],
  };
}

/**
 * Merges the file, the environment and the command line, each checked on its own. Adapters are not
 * chosen yet, and parts are not checked against each other.
 *
 * @throws {SettingsError} With all problems, one line each.
 */
export async function mergeConfig(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<MergedConfig> {
  const { problems, warnings } = variableFlaws(env);
  const explicit = ENVIRONMENT_KEYS.flatMap((key) =>
    collecting(problems, () => explicitValue(key, flags, env)) ?? []
  );
  const file = collecting(problems, () => findConfigFile(flags.config, folder));
  const layers: Layers = { config: {}, sources: new Map() };
  if (file !== undefined) {
    layers.config = await readChecked(file, env, problems);
    noteSources(layers, layers.config, [], { from: "file", name: file.name });
  }
  assertNone(problems);

  for (const { key, value, source } of explicit) {
    if (key.path.includes("*")) continue;
    for (const path of key.replaces ?? []) {
      if (layers.sources.get(path)?.from === "file") drop(layers, path);
    }
    put(layers, key.path, value, source);
  }
  return { ...layers, file, explicit, warnings };
}

function assertNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
}

/** Returns a result; a SettingsError is collected instead, so that all problems are told at once. */
function collecting<T>(problems: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** Reads and checks a file; problems are collected. */
async function readChecked(
  file: FoundFile,
  env: Environment,
  problems: string[],
): Promise<TaskcastConfig> {
  try {
    const { validate } = await import("./file/validate.ts");
    const { config, problems: flaws } = validate(await readConfigFile(file, env));
    for (const flaw of flaws ?? []) problems.push(`${file.name}: ${flaw}`);
    return config === undefined ? {} : resolvePaths(config, dirname(file.path));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(error.message);
    return {};
  }
}

/** Returns a copy whose relative paths count from the folder of its file. */
function resolvePaths(config: TaskcastConfig, folder: string): TaskcastConfig {
  const copy = { ...config };
  const { auth, adapters } = config;
  if (auth?.jwt?.publicKeyFile !== undefined) {
    const publicKeyFile = resolve(folder, auth.jwt.publicKeyFile);
    copy.auth = { ...auth, jwt: { ...auth.jwt, publicKeyFile } };
  }
  for (const role of ADAPTER_ROLES) {
    const adapter: unknown = adapters?.[role];
    if (!isNamed(adapter)) continue;
    const placed = { ...adapter };
    const file = fileOf(adapter);
    if (/^\.{1,2}\//.test(adapter.provider)) placed.provider = resolve(folder, adapter.provider);
    if (file !== undefined) placed.path = resolve(folder, file);
    copy.adapters = Object.assign({ ...copy.adapters }, { [role]: placed });
  }
  return copy;
}
