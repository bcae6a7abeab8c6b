import { hintFor } from "@taskcast/core/protocol";

/**
 * Requires that options have no unknown key. A misspelt `audience`, for example, would accept
 * tokens for any audience.
 *
 * @param known All known keys.
 * @param path Path of the options, for the message; empty for those of the app itself.
 * @throws {TypeError} With the name of the key, and of the one that was probably meant.
 */
export function assertKnownOptions<Options extends object>(
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
  path: string,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${path} must be an object`);
  }
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, key)) continue;
    const at = path === "" ? key : `${path}.${key}`;
    throw new TypeError(`${at} is not known; ${hintFor(key, Object.keys(known))}`);
  }
}
