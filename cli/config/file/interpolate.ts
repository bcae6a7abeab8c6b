import type { Environment } from "../layers.ts";
import type { KeyPath } from "../schema/key_path.ts";
import { pathText } from "../schema/key_path.ts";

/** A value with its variables filled in. */
export interface Interpolated {
  value: unknown;
  /** Paths of texts that were nothing but one variable. */
  variables: Set<string>;
  /** What could not be filled in, by path. */
  problems: Map<string, string>;
}

/** `$${` is an escape; a variable; or something that begins like one. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^{}]*)?\}|\$\{/g;

/**
 * Fills in `${VAR}` and `${VAR:-default}` in the texts of a value, not in its keys. What a variable
 * holds is taken as it is: it is a text and can be neither structure nor another reference.
 *
 * The value itself is not changed. Parts without variables are the same objects in what is returned,
 * and instances of classes are not looked into, so that what a program made stays what it is.
 */
export function interpolate(value: unknown, env: Environment): Interpolated {
  const variables = new Set<string>();
  const problems = new Map<string, string>();
  const around = new Set<object>();
  return { value: within(value, []), variables, problems };

  function within(part: unknown, path: KeyPath): unknown {
    if (typeof part === "string") return filled(part, path);
    // What a program made may be inside itself.
    if (!isData(part) || around.has(part)) return part;
    around.add(part);
    const isList = Array.isArray(part);
    const entries = Object.entries(part).map(([key, item]) =>
      [key, item, within(item, [...path, isList ? Number(key) : key])] as const
    );
    around.delete(part);
    if (entries.every(([, before, after]) => before === after)) return part;
    if (isList) return entries.map(([, , after]) => after);
    return Object.fromEntries(entries.map(([key, , after]) => [key, after]));
  }

  function filled(text: string, path: KeyPath): string {
    const problem = (what: string) => {
      problems.set(pathText(path), what);
      return "";
    };
    return text.replaceAll(REFERENCE, (whole, name: string | undefined, fallback?: string) => {
      if (whole === "$${") return "${";
      if (name === undefined) {
        return problem('"${" must begin ${NAME} or ${NAME:-default}; write $${ for the characters');
      }
      if (whole === text) variables.add(pathText(path));
      const held = Object.hasOwn(env, name) ? env[name] : undefined;
      if (fallback !== undefined) {
        return held === undefined || held === "" ? fallback.slice(2) : held;
      }
      if (held === undefined) {
        return problem(
          `the environment variable ${name} is not set; write \${${name}:-default} if it may be missing`,
        );
      }
      return held;
    });
  }
}

/** Whether something is a list or an object as it is written in data. */
function isData(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
