import type { Environment } from "../layers.ts";
import type { KeyPath } from "../schema/key_path.ts";
import { pathText } from "../schema/key_path.ts";

/** A value with its variables replaced. */
export interface Interpolated {
  value: unknown;
  /** Paths of texts that consisted of a single variable. */
  variables: Set<string>;
  /** Problems, by path. */
  problems: Map<string, string>;
}

/** Matches the escape `$${`, a variable, or the beginning of a malformed one. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^{}]*)?\}|\$\{/g;

/**
 * Replaces `${VAR}` and `${VAR:-default}` in the texts of a value, but not in its keys. The content of
 * a variable is plain text: it adds neither structure nor further references.
 *
 * The value is not modified. Parts without variables are returned as the same objects, and instances
 * of classes are not searched, so that objects made by a program keep their identity.
 */
export function interpolate(value: unknown, env: Environment): Interpolated {
  const variables = new Set<string>();
  const problems = new Map<string, string>();
  const ancestors = new Set<object>();
  return { value: within(value, []), variables, problems };

  function within(part: unknown, path: KeyPath): unknown {
    if (typeof part === "string") return filled(part, path);
    // An object made by a program may contain itself.
    if (!isData(part) || ancestors.has(part)) return part;
    ancestors.add(part);
    const isList = Array.isArray(part);
    const entries = Object.entries(part).map(([key, item]) =>
      [key, item, within(item, [...path, isList ? Number(key) : key])] as const
    );
    ancestors.delete(part);
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
      const content = Object.hasOwn(env, name) ? env[name] : undefined;
      if (fallback !== undefined) {
        return content === undefined || content === "" ? fallback.slice(2) : content;
      }
      if (content === undefined) {
        return problem(
          `the environment variable ${name} is not set; write \${${name}:-default} if it may be missing`,
        );
      }
      return content;
    });
  }
}

/** Returns whether a value is a list or a plain object. */
function isData(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
