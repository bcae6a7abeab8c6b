/** The part of https://semver.org in use: three numbers, and a pre-release such as `-rc.1`. */
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Locations of the version, and nothing that looks alike. */
const PLACES: Readonly<Record<"deno.json" | "version.ts" | "package.json", RegExp>> = {
  "deno.json": /("version": ")[^"]*(")/,
  "version.ts": /(VERSION = ")[^"]*(")/,
  "package.json": /("@taskcast\/[\w-]+": "\^)[^"]*(")/g,
};

/**
 * Requires a version that is later than another.
 *
 * @throws {Error} If it is invalid, or not later.
 */
export function assertNext(current: string, next: string): void {
  const parsed = VERSION.exec(next);
  if (parsed === null) throw new Error(`"${next}" is no version like 1.2.3 or 1.2.3-rc.1`);
  const rank = (version: string) => VERSION.exec(version)!.slice(1, 4).map(Number);
  const [a, b] = [rank(current), rank(next)];
  const at = a.findIndex((number, i) => number !== b[i]);
  const isLater = at === -1 ? current.includes("-") || next === current : b[at]! > a[at]!;
  if (!isLater) throw new Error(`${next} does not follow ${current}`);
}

/**
 * Writes a version into a file's text.
 *
 * @param file Name of the file.
 * @throws {Error} If the file has no place for it.
 */
export function withVersion(file: keyof typeof PLACES, text: string, version: string): string {
  if (text.search(PLACES[file]) === -1) throw new Error(`there is no version in ${file}`);
  return text.replace(PLACES[file], `$1${version}$2`);
}
