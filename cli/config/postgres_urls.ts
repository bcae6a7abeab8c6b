import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { effectiveConfig } from "./effective.ts";
import type { Environment, StartFlags } from "./layers.ts";
import { isNamed } from "./provider.ts";

/** The databases that are to be migrated: what is said by hand, else those of the configuration. */
export async function postgresUrls(
  flags: Pick<StartFlags, "config" | "postgresUrl">,
  env: Environment,
  folder: string,
): Promise<string[]> {
  const url = flags.postgresUrl ?? env.TASKCAST_POSTGRES_URL;
  if (url !== undefined && url !== "") return [url];
  const { adapters = {} } = (await effectiveConfig(flags, env, folder)).config;
  const urls = ADAPTER_ROLES.flatMap((role) => {
    const adapter: unknown = adapters[role];
    return isNamed(adapter) && adapter.provider === "postgres" ? [adapter.url as string] : [];
  });
  return [...new Set(urls)];
}
