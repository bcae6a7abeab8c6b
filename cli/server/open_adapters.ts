import { statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { AdapterPlugin, AdapterRole, Adapters } from "@taskcast/core/adapter";
import { ADAPTER_ROLES, assertUsable } from "@taskcast/core/adapter";
import { memoryPlugin, missingMethods } from "@taskcast/core/internal";
import { didYouMean } from "@taskcast/core/protocol";
import type { AdapterSetting, AdapterSettings } from "../config/provider.ts";
import { fileOf, isNamed } from "../config/provider.ts";
import { firstLine, SettingsError } from "../config/settings_error.ts";
import { loadModule } from "../files/load_module.ts";
import { findPackage, nameOnNpm } from "../files/project_packages.ts";
import { assertAddress, describeAddress } from "./address.ts";

/** The adapters of an engine. */
export interface OpenAdapters {
  adapters: Omit<Adapters, "longTerm"> & Partial<Adapters>;
  /** Closes all adapters, including instances of the configuration. */
  close(): Promise<void>;
}

/** Built-in adapters, loaded only when named: not every runtime has all of them. */
const BUILT_IN: Readonly<Record<string, () => Promise<{ default: AdapterPlugin }>>> = {
  memory: () => Promise.resolve({ default: memoryPlugin }),
  sqlite: () => import("@taskcast/sqlite"),
  redis: () => import("@taskcast/redis"),
  postgres: () => import("@taskcast/postgres"),
  "deno-kv": () => import("@taskcast/deno-kv"),
};

/** Names of the built-in adapters. */
export const PROVIDERS: readonly string[] = Object.keys(BUILT_IN);

/**
 * Opens the adapters and checks that each is usable. Roles with the same settings are opened together,
 * so that they share connections.
 *
 * @param packageFolders Folders in which the user's packages are searched; paths count from the working
 * folder.
 * @throws {SettingsError} If a provider does not exist, cannot play its role, or cannot be reached: one
 * line, without passwords.
 */
export async function openAdapters(
  settings: AdapterSettings,
  packageFolders: readonly string[],
): Promise<OpenAdapters> {
  const adapters: Partial<Adapters> = {};
  const opened: { close(): void | Promise<void> }[] = [];
  /** Remembers an adapter to close: even one that lacks methods may hold connections. */
  const keep = (adapter: { close(): void | Promise<void> }) => {
    if (typeof adapter.close === "function") opened.push(adapter);
  };
  const close = async () => {
    await Promise.all([...new Set(opened)].map((adapter) => adapter.close()));
  };
  try {
    for (const group of groupsOf(settings)) {
      const { roles, setting } = group;
      if (!isNamed(setting)) {
        Object.assign(adapters, { [roles[0]!]: setting });
        keep(setting);
        assertComplete(setting, roles[0]!, "The configuration has");
        await opening(
          { provider: `the ${roles[0]} adapter of the configuration` },
          () => assertUsable(setting),
        );
        continue;
      }
      const { provider, ...options } = setting;
      assertAddress(provider, options.url);
      const plugin = await pluginFor(provider, roles, packageFolders);
      const found = await opening(setting, async () => await plugin.open({ roles, options }));
      for (const role of roles) {
        const adapter = found?.[role];
        if (adapter === undefined) {
          throw new SettingsError(`"${provider}" opened no ${role} adapter, though it says it can`);
        }
        Object.assign(adapters, { [role]: adapter });
        keep(adapter);
        assertComplete(adapter, role, `The plugin "${plugin.name}" of "${provider}" opened`);
      }
      for (const role of roles) await opening(setting, () => assertUsable(found[role]!));
    }
    return { adapters: adapters as OpenAdapters["adapters"], close };
  } catch (error) {
    await close().catch(() => {}); // The first error is the one to report.
    throw error;
  }
}

/** Groups the roles with equal settings. */
function groupsOf(settings: AdapterSettings): { roles: AdapterRole[]; setting: AdapterSetting }[] {
  const groups = new Map<string, { roles: AdapterRole[]; setting: AdapterSetting }>();
  for (const role of ADAPTER_ROLES) {
    const setting = settings[role];
    if (setting === undefined) continue;
    const key = isNamed(setting) ? JSON.stringify(Object.entries(setting).sort()) : role;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { roles: [role], setting });
    else group.roles.push(role);
  }
  return [...groups.values()];
}

/**
 * Asserts that every adapter can be loaded, can play its role, and has a folder for its file. Opens
 * nothing.
 *
 * @throws {SettingsError} For the first adapter that fails.
 */
export async function assertPlugins(
  settings: AdapterSettings,
  packageFolders: readonly string[],
): Promise<void> {
  for (const { roles, setting } of groupsOf(settings)) {
    if (!isNamed(setting)) {
      assertComplete(setting, roles[0]!, "The configuration has");
      continue;
    }
    if (!isBuiltIn(setting.provider) && !isPath(setting.provider)) {
      // Loading a package may download it, so a bare word is only searched locally.
      if (isBareWord(setting.provider)) await findInstalled(setting.provider, packageFolders);
      continue;
    }
    await pluginFor(setting.provider, roles, packageFolders);
    const file = fileOf(setting);
    if (file === undefined) continue;
    const parent = dirname(resolve(file));
    if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SettingsError(`Cannot use ${setting.provider}: there is no folder ${parent}`);
    }
  }
}

async function pluginFor(
  provider: string,
  roles: readonly AdapterRole[],
  packageFolders: readonly string[],
): Promise<AdapterPlugin> {
  const plugin = await pluginOf(provider, packageFolders);
  const cannot = roles.find((role) => !plugin.roles.includes(role));
  if (cannot === undefined) return plugin;
  throw new SettingsError(
    `"${provider}" cannot be the ${cannot} adapter; it can be: ${plugin.roles.join(", ")}`,
  );
}

async function pluginOf(
  provider: string,
  packageFolders: readonly string[],
): Promise<AdapterPlugin> {
  const builtIn = isBuiltIn(provider) ? BUILT_IN[provider] : undefined;
  let module: { default?: unknown };
  try {
    module = builtIn !== undefined
      ? await builtIn()
      : isPath(provider)
      ? await loadModule(resolve(provider))
      : await loadPackage(provider, packageFolders);
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    if (builtIn === undefined && isFile(provider)) {
      throw new SettingsError(
        `There is no module "${provider}" to load; did you mean the file "./${provider}"?`,
      );
    }
    throw new SettingsError(
      `Cannot load the adapter "${provider}": ${firstLine((error as Error).message)}`,
    );
  }
  if (!isPlugin(module.default)) {
    throw new SettingsError(
      `"${provider}" is no adapter: its default export must be an AdapterPlugin { name, roles, open }`,
    );
  }
  return module.default;
}

function isBuiltIn(provider: string): boolean {
  return Object.hasOwn(BUILT_IN, provider);
}

/** Loads a package of the user's project, or else one that this program can import. */
async function loadPackage(
  provider: string,
  packageFolders: readonly string[],
): Promise<{ default?: unknown }> {
  const runsSpecifiers = "Deno" in globalThis;
  if (runsSpecifiers && provider.includes(":")) return await import(provider);
  const found = await findInstalled(provider, packageFolders);
  if (found !== undefined) return await loadModule(found);
  if (!runsSpecifiers && provider.startsWith("npm:")) {
    throw new SettingsError(
      `Cannot load the adapter "${provider}": install the package, with: npm install ` +
        nameOnNpm(provider),
    );
  }
  return await import(provider);
}

/**
 * Returns the file of a package that the user installed; `undefined` if there is none.
 *
 * @throws {SettingsError} If there is none for a bare word, which more often is a misspelt built-in
 * name than a package.
 */
async function findInstalled(
  provider: string,
  packageFolders: readonly string[],
): Promise<string | undefined> {
  const found = await findPackage(nameOnNpm(provider), packageFolders);
  if (found === undefined && isBareWord(provider)) {
    const close = didYouMean(provider, PROVIDERS);
    throw new SettingsError(
      `There is no adapter "${provider}": ` +
        (close === undefined
          ? `use ${PROVIDERS.join(", ")}, or a module such as "./my_store.ts" or "npm:${provider}"`
          : `did you mean "${close}"?`),
    );
  }
  return found;
}

function isBareWord(provider: string): boolean {
  return !/[./:@]/.test(provider);
}

/** Returns whether a provider is a path, to which a configuration resolves relative ones. */
function isPath(provider: string): boolean {
  return /^\.{0,2}\//.test(provider) || isAbsolute(provider);
}

function isFile(name: string): boolean {
  return !isPath(name) && statSync(resolve(name), { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws {SettingsError} If an adapter lacks methods of its role. */
function assertComplete(adapter: unknown, role: AdapterRole, whose: string): void {
  const missing = missingMethods(adapter, role);
  if (missing.length > 0) {
    throw new SettingsError(`${whose} a ${role} adapter without ${missing.join(", ")}`);
  }
}

function isPlugin(value: unknown): value is AdapterPlugin {
  if (typeof value !== "object" || value === null) return false;
  const { name, roles, open } = value as Partial<AdapterPlugin>;
  return typeof name === "string" && Array.isArray(roles) && typeof open === "function";
}

async function opening<T>(
  { provider, url }: { provider: string; url?: unknown },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw describeAddress(provider, url, error);
  }
}
