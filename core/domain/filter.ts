import type { EventFilter, Level } from "../protocol/event.ts";
import { SERVER_EVENT } from "../protocol/event.ts";

/** The fields of an event that filters depend on. */
export interface Filterable {
  /** The event's type. */
  type: string;
  /** The event's level. */
  level: Level;
}

/**
 * Returns whether a type matches one of the patterns: `*` matches every type, `a.b.*` every type that
 * starts with `a.b.`, anything else must be equal.
 *
 * @example
 * ```ts
 * import { matchesType } from "@taskcast/core/adapter";
 * import assert from "node:assert/strict";
 *
 * assert(matchesType("llm.delta", ["llm.*"]));
 * assert(!matchesType("llm", ["llm.*"]));
 * ```
 */
export function matchesType(type: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern === "*" || pattern === type ||
    (pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1)))
  );
}

/** Returns whether a filter matches every event. */
export function matchesEverything(filter: EventFilter | undefined): boolean {
  const { types = [], levels = [], includeStatus = true } = filter ?? {};
  return includeStatus && levels.length === 0 && (types.length === 0 || types.includes("*"));
}

/** Compiles a filter into a predicate over events. All conditions must hold. */
export function compileFilter(filter: EventFilter | undefined): (event: Filterable) => boolean {
  if (matchesEverything(filter)) return () => true;
  const { types = [], levels = [], includeStatus = true } = filter ?? {};
  return ({ type, level }) =>
    (types.length === 0 || matchesType(type, types)) &&
    (levels.length === 0 || levels.includes(level)) &&
    (includeStatus || type !== SERVER_EVENT.status);
}

/** Returns a key that is equal for filters that differ only in order and repetition. */
export function filterKey(filter: EventFilter | undefined): string {
  if (matchesEverything(filter)) return "*";
  const { types = [], levels = [], includeStatus = true } = filter ?? {};
  const sorted = (list: readonly string[]) => [...new Set(list)].sort();
  return JSON.stringify([
    types.includes("*") ? [] : sorted(types),
    sorted(levels),
    includeStatus,
  ]);
}
