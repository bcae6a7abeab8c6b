import type { TaskcastConfig } from "@taskcast/core";

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
