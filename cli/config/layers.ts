import type { TaskcastConfig } from "@taskcast/core/config";
import type { KeyPath } from "./schema/key_path.ts";
import { pathText } from "./schema/key_path.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of the command line, by the names that their parser gives them: `redisUrl`. */
export interface StartFlags {
  /** The configuration file. */
  config?: string;
  [option: string]: string | number | boolean | undefined;
}

/** The origin of a value, from the lowest to the highest precedence. */
export type Source =
  | { from: "default" }
  /** A file, by its name in messages. */
  | { from: "file"; name: string }
  /** An environment variable. */
  | { from: "env"; name: string }
  /** An option of the command line. */
  | { from: "flag"; name: string };

const PRECEDENCE = { default: 0, file: 1, env: 2, flag: 3 } as const;

/** Returns the precedence of a source: higher values override lower ones. */
export function precedenceOf(source: Source | undefined): number {
  return PRECEDENCE[source?.from ?? "default"];
}

/** Returns a source in words. */
export function sourceText(source: Source): string {
  return source.from === "default" ? "default" : source.name;
}

/** A configuration merged from several sources. */
export interface Layers {
  config: TaskcastConfig;
  /** The source of each value, by path; values that are missing here are defaults. */
  sources: Map<string, Source>;
}

/** Returns whether a value has settings of its own inside; an adapter made by a program has none. */
export function hasParts(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) &&
    typeof (value as { close?: unknown }).close !== "function";
}

/** Yields every value with its path, in order, except those that are `undefined`. */
export function* leavesOf(value: unknown, path: KeyPath = []): Generator<[KeyPath, unknown], void> {
  if (!hasParts(value) || (path.length > 0 && Object.keys(value).length === 0)) {
    if (value !== undefined && path.length > 0) yield [path, value];
    return;
  }
  for (const [key, part] of Object.entries(value)) yield* leavesOf(part, [...path, key]);
}

/** Records the source of every value below a path. */
export function noteSources(layers: Layers, value: unknown, path: KeyPath, source: Source): void {
  for (const [leaf] of leavesOf(value, path)) layers.sources.set(pathText(leaf), source);
}

/** Sets a value by its path, `auth.jwt.secret`, and records its source. */
export function put(layers: Layers, path: string, value: unknown, source: Source): void {
  layers.config = withValue(layers.config, path.split("."), value) as TaskcastConfig;
  layers.sources.set(path, source);
}

/** Removes a value by its path. */
export function drop(layers: Layers, path: string): void {
  layers.config = withValue(layers.config, path.split("."), undefined) as TaskcastConfig;
  layers.sources.delete(path);
}

/** Returns a copy with one value changed: objects that a program made are never modified. */
function withValue(part: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (part === undefined && value === undefined) return undefined;
  const copy = { ...part as Record<string, unknown> };
  copy[key] = withValue(copy[key], rest, value);
  return copy;
}
