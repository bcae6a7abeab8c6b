import { hintFor } from "@taskcast/core/protocol";

/**
 * Requires that options have no key that nobody reads: misspelt, `audience` would let in the tokens
 * of all others.
 *
 * @param known All keys that there are.
 * @param path Where the options stand, for the message; empty for those of the app itself.
 * @throws {TypeError} That names the key, and the one that may have been meant.
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
