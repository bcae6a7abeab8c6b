import type { TaskcastConfig } from "@taskcast/core/config";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { annotationOf, expecting, factsOf, type KeyFacts } from "./describe.ts";
import { configSchema } from "./schema.ts";
import { text } from "./values.ts";
import { type Schema, unwrapped } from "./walk.ts";

/** A key with a value, as opposed to a group of keys. */
export interface ConfigKey extends KeyFacts {
  /** `auth.jwt.secret`; `adapters.*.url` stands for the adapters of its provider in every role. */
  path: string;
  /** The provider that has this option, for adapters. */
  provider?: string;
  /** Its meaning in one sentence. */
  text: string;
  /** The values it accepts. */
  schema: Schema;
}

/** A key that an environment variable can set. */
export type EnvironmentKey = ConfigKey & { env: string };

const PROVIDER_KEY: ConfigKey = {
  path: "adapters.*.provider",
  text: "Name of the adapter",
  envNote: "the variable and the option set `broadcast` and `shortTerm`",
  schema: expecting(
    text(),
    "memory, sqlite, redis, postgres, deno-kv, or a module",
  ) as unknown as Schema,
  default: "memory",
  env: "TASKCAST_STORAGE",
  flag: {
    usage: "--storage <kind>",
    help: "store of tasks: memory, sqlite, redis, postgres, deno-kv, or a module whose default " +
      "export is an AdapterPlugin",
  },
};

/** Every key with a value, in the order of the description. */
export const CONFIG_KEYS: readonly ConfigKey[] = [...keysOf(configSchema as Schema, [])];

/** Every key that the environment can set. */
export const ENVIRONMENT_KEYS: readonly EnvironmentKey[] = CONFIG_KEYS.filter(
  (key): key is EnvironmentKey => key.env !== undefined,
);

/** The values in use where nothing is configured, without those of adapters. */
export const DEFAULTS: TaskcastConfig & Required<Pick<TaskcastConfig, "port" | "logLevel">> =
  defaultsOf(undefined) as unknown as typeof DEFAULTS;

/** The same for the options of each built-in adapter. */
export const PROVIDER_DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = Object
  .fromEntries(
    [...new Set(CONFIG_KEYS.flatMap(({ provider }) => provider ?? []))]
      .map((provider) => [provider, defaultsOf(provider)]),
  );

function* keysOf(part: Schema, path: string[], provider?: string): Generator<ConfigKey, void> {
  const schema = unwrapped(part);
  if (path[0] === "adapters" && path.length === 2) {
    // The options are the same in every role, so they are listed once.
    if (path[1] === ADAPTER_ROLES[0]) yield* adapterKeys(schema);
  } else if (schema.type === "object") {
    for (const [name, child] of Object.entries(schema.shape)) {
      yield* keysOf(child, [...path, name], provider);
    }
  } else if (schema.type === "array" && unwrapped(schema.element).type === "object") {
    yield* keysOf(schema.element, [...path.slice(0, -1), `${path.at(-1)}[]`]);
  } else if (schema.type !== "literal") {
    const text = (part.description ?? "") +
      (annotationOf(schema).code ? "; only in TypeScript and JavaScript" : "");
    yield { ...factsOf(part), path: path.join("."), provider, text, schema };
  }
}

function* adapterKeys(union: Schema): Generator<ConfigKey, void> {
  yield PROVIDER_KEY;
  for (const option of union.options.map(unwrapped)) {
    const [provider] = option.type === "object" ? [...option.shape.provider!.values ?? []] : [];
    if (typeof provider !== "string") continue;
    for (const [name, child] of Object.entries(option.shape)) {
      yield* keysOf(child, ["adapters", "*", name], provider);
    }
  }
}

function defaultsOf(provider: string | undefined): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  for (const key of CONFIG_KEYS) {
    if (key.provider !== provider || key.default === undefined || key === PROVIDER_KEY) continue;
    const names = key.path.split(".").slice(provider === undefined ? 0 : 2);
    let at = defaults;
    for (const name of names.slice(0, -1)) at = (at[name] ??= {}) as typeof at;
    at[names.at(-1)!] = key.default;
  }
  return defaults;
}
