import { assertPostgresAddress } from "@taskcast/postgres/address";
import { assertRedisAddress } from "@taskcast/redis/address";
import { isSecretName } from "../config/mask.ts";
import { firstLine, SettingsError } from "../config/settings_error.ts";

/** Checks of addresses by the adapters that need one. */
const CHECKS: Readonly<Record<string, (url: string) => void>> = {
  postgres: assertPostgresAddress,
  redis: assertRedisAddress,
};

/**
 * Asserts that an address, if there is one, is a URL that its adapter accepts.
 *
 * @throws {SettingsError} Otherwise; without the address, in which the password cannot be located.
 */
export function assertAddress(provider: string, url: unknown): void {
  if (typeof url !== "string") return;
  if (urlOf(provider, url) !== undefined) {
    try {
      return CHECKS[provider]?.(url);
    } catch (error) {
      throw new SettingsError(
        `Cannot use ${provider}: ${withoutFunction((error as Error).message)}`,
      );
    }
  }
  throw new SettingsError(
    `Cannot use ${provider}: its address is not a URL such as ${provider}://user:password@host/path; ` +
      "in a password every / ? # @ : and % must be written as %2F %3F %23 %40 %3A %25" +
      (provider === "redis" ? "" : ", and there can be only one host"),
  );
}

/** Returns an error about opening an adapter: one line, without passwords. */
export function describeAddress(provider: string, url: unknown, error: unknown): SettingsError {
  // The adapters' own messages about options and files are good as they are.
  const { message, cause } = error as Error;
  const hosts = hostsOf(provider, url);
  if (hosts === undefined || error instanceof TypeError) {
    const what = withoutSecrets(withoutFunction(firstLine(message)), provider, url);
    return new SettingsError(`Cannot use ${provider}: ${what}`);
  }
  const why = cause instanceof Error && cause.message !== "" ? cause.message : message;
  return new SettingsError(
    `Cannot use ${provider} at ${hosts}: ${withoutSecrets(firstLine(why), provider, url)}`,
  );
}

/** Removes the name of the called function, which users of the command line do not know. */
function withoutFunction(message: string): string {
  return message.replace(/^\w+\(\):? /, "");
}

/** Returns the hosts and ports of an address, without user and password. */
function hostsOf(provider: string, url: unknown): string | undefined {
  if (typeof url !== "string" || urlOf(provider, url) === undefined) return undefined;
  return several(provider, url)?.hosts.join() ?? urlOf(provider, url)!.host;
}

/** Returns an address as a URL, with only the first of several hosts. */
function urlOf(provider: string, address: string): URL | undefined {
  const { begin, hosts, end } = several(provider, address) ?? {};
  if (hosts === undefined) {
    // The address of a socket has an empty host, which a URL with a user cannot have.
    const whole = provider === "postgres" ? address.replace("@/", "@localhost/") : address;
    return URL.canParse(whole) ? new URL(whole) : undefined;
  }
  const all = hosts.map((host) => `${begin}${host}${end}`);
  return all.every((one) => URL.canParse(one)) ? new URL(all[0]!) : undefined;
}

/** Returns the parts of a Redis address with several hosts. */
function several(
  provider: string,
  address: string,
): { begin: string; hosts: string[]; end: string } | undefined {
  if (provider !== "redis") return undefined;
  const [, begin, list, end] = /^([a-z-]+:\/\/(?:[^@/?#]*@)?)([^@/?#]+)(.*)$/.exec(
    address.replace(/,\s*rediss?:\/\//g, ","),
  ) ?? [];
  if (begin === undefined || !list!.includes(",")) return undefined;
  return { begin, hosts: list!.split(",").map((host) => host.trim()), end: end! };
}

function withoutSecrets(text: string, provider: string, url: unknown): string {
  const parsed = typeof url === "string" ? urlOf(provider, url) : undefined;
  if (parsed === undefined) return text;
  const { password, searchParams } = parsed;
  let clean = text.replaceAll(url as string, hostsOf(provider, url)!);
  const behind = [...searchParams].flatMap(([name, value]) => isSecretName(name) ? value : []);
  for (const secret of [password, decoded(password), ...behind]) {
    clean = withoutSecret(clean, secret);
  }
  return clean;
}

/** Removes a secret. A short one may be part of other words, such as `taskcast_tasks`, which stay. */
function withoutSecret(text: string, secret: string): string {
  if (secret === "") return text;
  if (!/^\w{1,15}$/.test(secret)) return text.replaceAll(secret, "…");
  return text.replace(new RegExp(`(?<!\\w)${secret}(?!\\w)`, "g"), "…");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign.
  }
}
