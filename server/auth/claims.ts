import type { Scope } from "@taskcast/core/protocol";
import { SCOPES, TaskcastError } from "@taskcast/core/protocol";
import { assertKnownOptions } from "../assert_known_options.ts";
import type { AuthContext, JwtClaims } from "./options.ts";

/** The claims of a token. */
type Claims = Readonly<Record<string, unknown>>;

/**
 * Returns a function that reads permissions from a token's claims.
 *
 * @returns A function that throws `UNAUTHORIZED` for claims of the wrong type. A missing claim
 * grants nothing.
 * @throws {TypeError} If the options are invalid.
 */
export function claimReader(
  options: JwtClaims = {},
): (claims: Claims) => Pick<AuthContext, "taskIds" | "scope"> {
  const path = "auth.jwt.claims";
  assertKnownOptions(options, { scope: true, taskIds: true, prefix: true }, path);
  const { scope = "scope", taskIds = "taskIds", prefix = "" } = options;
  const names = Array.isArray(scope) ? Array.from(scope) : [scope];
  const isName = (name: unknown) => typeof name === "string" && name !== "";
  if (names.length === 0 || !names.every(isName)) {
    throw new TypeError(`${path}.scope must be the name of a claim, or a list of names`);
  }
  if (!isName(taskIds)) throw new TypeError(`${path}.taskIds must be the name of a claim, or "*"`);
  if (typeof prefix !== "string") throw new TypeError(`${path}.prefix must be a text`);
  return (claims) => {
    const words = new Set(names.flatMap((name) => wordsOf(claimAt(claims, name), name)));
    return {
      taskIds: taskIds === "*" ? "*" : taskIdsOf(claimAt(claims, taskIds), taskIds),
      // Unknown scopes grant nothing, so they are left out.
      scope: SCOPES.filter((scope: Scope) => words.has(prefix + scope)),
    };
  };
}

/**
 * Finds a claim: the one with exactly this name, such as `https://example.com/roles`, or the one at
 * this path, such as `realm_access.roles`. Names along a path may contain dots themselves.
 */
function claimAt(claims: unknown, name: string): unknown {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return undefined;
  if (Object.hasOwn(claims, name)) return (claims as Claims)[name];
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const step = name.slice(0, dot);
    if (Object.hasOwn(claims, step)) return claimAt((claims as Claims)[step], name.slice(dot + 1));
  }
  return undefined;
}

/** Reads the task ids. A string other than `*` is refused: `includes()` would match parts of it. */
function taskIdsOf(claim: unknown, name: string): "*" | readonly string[] {
  if (claim === undefined) return [];
  if (claim === "*") return "*";
  if (Array.isArray(claim) && claim.every((id) => typeof id === "string")) {
    return claim.includes("*") ? "*" : claim;
  }
  throw refusal(name, 'must be "*" or an array of ids');
}

function wordsOf(claim: unknown, name: string): readonly string[] {
  if (claim === undefined) return [];
  const words = typeof claim === "string" ? claim.split(" ") : claim;
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) return words;
  throw refusal(name, "must be an array, or a text separated by spaces");
}

function refusal(name: string, problem: string): TaskcastError {
  return new TaskcastError(
    "UNAUTHORIZED",
    `The token is not valid: its claim "${name}" ${problem}`,
  );
}
