import { hintFor } from "../protocol/did_you_mean.ts";

/** The parameters of an address that an adapter knows. */
export interface KnownParameters {
  /** Parameters that the adapter uses. */
  used: readonly string[];
  /** Parameters for other clients of the same server, without effect here. */
  ignored: readonly string[];
  /** Parameters that are not supported, with the reason or the alternative. */
  refused?: Readonly<Record<string, string>>;
}

/**
 * Reads the parameters after the `?` of an address. Each is used, known to be meant for other clients,
 * or refused, because an ignored parameter may be the one that mattered.
 *
 * @param query The text after the `?`, still encoded.
 * @returns The parameters that are used, decoded.
 * @throws {TypeError} For a parameter that is unknown, cannot be followed, or is given twice. The
 *   message names it and holds no value; it goes on from "the address".
 */
export function readAddressParameters(
  query: string,
  { used, ignored, refused = {} }: KnownParameters,
): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (seen.has(name)) throw new TypeError(`has the parameter "${name}" twice`);
    if (Object.hasOwn(refused, name)) {
      throw new TypeError(`has the parameter "${name}": ${refused[name]}`);
    }
    if (used.includes(name)) found.set(name, value);
    else if (!ignored.includes(name)) throw unknown(name, used);
    seen.add(name);
  }
  return found;
}

/** A part of a password that was not encoded can look like a parameter, so only names are shown. */
function unknown(name: string, known: readonly string[]): TypeError {
  if (!/^[A-Za-z][\w.-]{0,62}$/.test(name)) {
    return new TypeError("has a parameter that is not known");
  }
  return new TypeError(`has the parameter "${name}", which is not known: ${hintFor(name, known)}`);
}

/** Reads a part of an address: `%2F` is a slash, and a percent sign of no such code is itself. */
export function decodeAddressPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll(/(?:%[\da-fA-F]{2})+/g, (codes) => {
      try {
        return decodeURIComponent(codes);
      } catch {
        return codes;
      }
    });
  }
}
