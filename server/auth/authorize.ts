import type { Scope, TaskAuthConfig } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { AuthContext } from "./options.ts";

/** Scopes that include another one. */
const INCLUDED_IN: Partial<Record<Scope, Scope>> = { "task:cancel": "task:manage" };

/** Returns whether a list of scopes names a scope, or one that includes it. */
function covers(scopes: readonly Scope[], needed: Scope): boolean {
  const wider = INCLUDED_IN[needed];
  return scopes.includes("*") || scopes.includes(needed) ||
    wider !== undefined && scopes.includes(wider);
}

/** Returns whether a caller holds a scope. */
export function hasScope({ scope }: AuthContext, needed: Scope): boolean {
  return covers(scope, needed);
}

/** Returns whether a caller may access a task with this id. Ids are compared whole. */
export function maySeeTask({ taskIds }: AuthContext, id: string): boolean {
  return taskIds === "*" || taskIds.includes(id);
}

/** Returns whether a caller meets every rule of a task for a scope. */
export function meetsTaskRules(
  context: AuthContext,
  needed: Scope,
  authConfig: TaskAuthConfig | undefined,
): boolean {
  if (context.byTicket) return true;
  return (authConfig?.rules ?? []).every(({ match, require }) => {
    if (!covers(match.scope, needed)) return true;
    const { sub, claims = {} } = require;
    if (sub !== undefined && (context.sub === undefined || !sub.includes(context.sub))) {
      return false;
    }
    return Object.entries(claims).every(([name, value]) =>
      Object.hasOwn(context.claims ?? {}, name) && deepEqual(context.claims![name], value)
    );
  });
}

/**
 * Requires that a caller may do something.
 *
 * @param task The task concerned. Check the id before looking up the task: a caller that may not
 * see it must not learn whether it exists.
 * @throws {TaskcastError} `FORBIDDEN`.
 */
export function authorize(
  context: AuthContext,
  needed: Scope,
  task?: { id: string; authConfig?: TaskAuthConfig },
): void {
  if (!hasScope(context, needed)) {
    throw new TaskcastError("FORBIDDEN", `The token lacks the scope "${needed}"`, {
      details: { scope: needed },
    });
  }
  if (task === undefined) return;
  if (!maySeeTask(context, task.id)) {
    throw new TaskcastError("FORBIDDEN", `The token is not for the task "${task.id}"`);
  }
  if (!meetsTaskRules(context, needed, task.authConfig)) {
    throw new TaskcastError("FORBIDDEN", `The task's own rules do not let this token do that`);
  }
}

/** Returns whether two JSON values are equal. The order of an object's members does not count. */
function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return keys.length === others.length && keys.every((key) =>
    Object.hasOwn(b, key) &&
    deepEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}
