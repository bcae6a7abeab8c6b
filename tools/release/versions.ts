/** As much of https://semver.org as versions here use: three numbers, and a pre-release like `-rc.1`. */
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

/** Where a version is written, and nothing else that looks so. */
const PLACES: Readonly<Record<"deno.json" | "version.ts" | "package.json", RegExp>> = {
  "deno.json": /("version": ")[^"]*(")/,
  "version.ts": /(VERSION = ")[^"]*(")/,
  "package.json": /("@taskcast\/[\w-]+": "\^)[^"]*(")/g,
};

/**
 * Requires a version that may follow another.
 *
 * @throws {Error} If it is none, or not later.
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
 * @param file What the file is called.
 * @throws {Error} If there is no place for it.
 */
export function withVersion(file: keyof typeof PLACES, text: string, version: string): string {
  if (text.search(PLACES[file]) === -1) throw new Error(`there is no version in ${file}`);
  return text.replace(PLACES[file], `$1${version}$2`);
}
