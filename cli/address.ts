import { SettingsError } from "./settings_error.ts";

/**
 * Requires of an address, if there is one, that it is a URL: what is none cannot be shown, since
 * nobody knows which part of it is the password.
 *
 * @throws {SettingsError} If it is none; without the address.
 */
export function assertAddress(provider: string, url: unknown): void {
  if (typeof url !== "string" || URL.canParse(url)) return;
  throw new SettingsError(
    `Cannot use ${provider}: its address is not a URL such as ${provider}://user:password@host/path; ` +
      "in a password every / ? # @ : and % must be written as %2F %3F %23 %40 %3A %25, and there can " +
      "be only one host",
  );
}

/** Words in one line, without passwords, what goes wrong when an adapter is opened. */
export function describeAddress(provider: string, url: unknown, error: unknown): SettingsError {
  // Adapters say themselves what is wrong with options and files.
  const { message, cause } = error as Error;
  const place = placeOf(url);
  if (place === undefined || error instanceof TypeError) {
    return new SettingsError(`Cannot use ${provider}: ${withoutSecrets(firstLine(message), url)}`);
  }
  const why = cause instanceof Error && cause.message !== "" ? cause.message : message;
  return new SettingsError(
    `Cannot use ${provider} at ${place}: ${withoutSecrets(firstLine(why), url)}`,
  );
}

/** The first line of a text: what follows is for those who read stacks. */
export function firstLine(text: string): string {
  return text.split("\n")[0]!;
}

/** Host and port of an address: who may log in is nobody's business. */
function placeOf(url: unknown): string | undefined {
  return typeof url === "string" && URL.canParse(url) ? new URL(url).host : undefined;
}

function withoutSecrets(text: string, url: unknown): string {
  if (typeof url !== "string" || !URL.canParse(url)) return text;
  const { password } = new URL(url);
  let clean = text.replaceAll(url, placeOf(url)!);
  for (const secret of [password, decoded(password)]) {
    if (secret !== "") clean = clean.replaceAll(secret, "…");
  }
  return clean;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign.
  }
}
