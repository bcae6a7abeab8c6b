import type { TaskcastConfig } from "@taskcast/core";
import type { KeyPath } from "./schema/key_path.ts";
import { pathText } from "./schema/key_path.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of the command line, as its parser names them. */
export interface StartFlags {
  config?: string;
  port?: number;
  host?: string;
  listener?: string;
  logLevel?: string;
  logFormat?: string;
  maxMemory?: number;
  storage?: string;
  sqlitePath?: string;
  redisUrl?: string;
  postgresUrl?: string;
  postgresListenUrl?: string;
  autoMigrate?: boolean;
  cors?: string | true;
  allowHost?: string;
  allowShortSecrets?: boolean;
}

/** Where a value comes from, from what gives way to what goes before. */
export type Source =
  | { from: "default" }
  /** The file, as it is called in messages. */
  | { from: "file"; name: string }
  /** The variable. */
  | { from: "env"; name: string }
  /** The option of the command line. */
  | { from: "flag"; name: string };

const RANK = { default: 0, file: 1, env: 2, flag: 3 } as const;

/** How far a source goes before others. */
export function rankOf(source: Source | undefined): number {
  return RANK[source?.from ?? "default"];
}

/** A source in words. */
export function sourceText(source: Source): string {
  return source.from === "default" ? "default" : source.name;
}

/** A configuration as it was put together. */
export interface Layers {
  config: TaskcastConfig;
  /** Where each value comes from, by path; what is not here is a default. */
  sources: Map<string, Source>;
}

/** Whether a value has parts of its own that are settings; an adapter that a program made has not. */
export function hasParts(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) &&
    typeof (value as { close?: unknown }).close !== "function";
}

/** Every value with its path, in order; what is undefined is not there. */
export function* leavesOf(value: unknown, path: KeyPath = []): Generator<[KeyPath, unknown], void> {
  if (!hasParts(value) || (path.length > 0 && Object.keys(value).length === 0)) {
    if (value !== undefined && path.length > 0) yield [path, value];
    return;
  }
  for (const [key, part] of Object.entries(value)) yield* leavesOf(part, [...path, key]);
}

/** Says of every value below a path where it comes from. */
export function noteSources(layers: Layers, value: unknown, path: KeyPath, source: Source): void {
  for (const [leaf] of leavesOf(value, path)) layers.sources.set(pathText(leaf), source);
}

/** Sets a value by its path, `auth.jwt.secret`, and says where it comes from. */
export function put(layers: Layers, path: string, value: unknown, source: Source): void {
  const keys = path.split(".");
  let at = layers.config as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  layers.sources.set(path, source);
}

/** Takes a value away. */
export function drop(layers: Layers, path: string): void {
  const keys = path.split(".");
  let at: unknown = layers.config;
  for (const key of keys.slice(0, -1)) at = (at as Record<string, unknown> | undefined)?.[key];
  delete (at as Record<string, unknown> | undefined)?.[keys.at(-1)!];
  layers.sources.delete(path);
}
