import type { TaskcastConfig } from "@taskcast/core/config";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { hostOf } from "./hosts_and_origins.ts";
import type { Layers, Source } from "./layers.ts";
import { hasParts, leavesOf } from "./layers.ts";
import { isSecretName, MASK, maskUrl } from "./mask.ts";
import { isNamed } from "./provider.ts";
import { annotationOf } from "./schema/describe.ts";
import type { KeyPath } from "./schema/key_path.ts";
import { pathText } from "./schema/key_path.ts";
import { DEFAULTS, PROVIDER_DEFAULTS } from "./schema/keys.ts";
import { configSchema } from "./schema/schema.ts";
import { memberFor, schemaAt } from "./schema/walk.ts";
import { storageOf } from "./storage_settings.ts";

/** One setting in effect. */
export interface Listed {
  key: string;
  /** The value, without secrets. */
  value: unknown;
  source: Source;
}

/** Returns all settings in effect with their sources, without secrets. */
export function listing({ config, sources }: Layers): Listed[] {
  const whole = inOrder(withDefaults(config));
  return [...leavesOf(whole)].map(([path, value]) => {
    const key = pathText(path);
    const source = sources.get(key) ?? { from: "default" };
    return { key, value: shown(value, path, whole), source };
  });
}

/** Returns whether the value at a path must not be shown. */
function isHidden(path: KeyPath, root: unknown): boolean {
  const schema = schemaAt(configSchema, path, root);
  return schema === undefined
    ? path.some((part) => isSecretName(String(part))) // An option of the user's own adapter.
    : annotationOf(schema).secret === true;
}

/** Returns a value for people and for JSON: code as its name, secrets masked. */
function shown(value: unknown, path: KeyPath, root: unknown): unknown {
  if (isHidden(path, root)) return MASK;
  // Receivers of webhooks often have their keys in the query.
  if (typeof value === "string") return maskUrl(value, { hideQuery: path[0] === "webhook" });
  if (typeof value === "function") return `(function ${value.name || "without a name"})`;
  if (Array.isArray(value)) return value.map((part, i) => shown(part, [...path, i], root));
  if (typeof value !== "object" || value === null) return value;
  const { constructor } = value;
  if (constructor === Object || constructor === undefined) {
    const parts = Object.values(value);
    // An adapter without a class, which may contain itself.
    if (parts.some((part) => typeof part === "function")) return "(object with functions)";
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, shown(part, [...path, key], root)]),
    );
  }
  return `(instance of ${constructor.name})`;
}

/** Adds defaults, but not those of features that are off. */
function withDefaults(config: TaskcastConfig): TaskcastConfig {
  const { auth, cors, sentry, engine, ...always } = DEFAULTS;
  const isPrivate = storageOf(config.adapters ?? {}).isPrivate;
  const merged = merge(
    {
      ...always,
      host: hostOf(config) ?? "127.0.0.1, ::1",
      auth: config.auth?.mode === "jwt" ? auth : { mode: auth!.mode },
      engine: isPrivate ? { ...engine, sweepMs: 0 } : engine,
      ...(config.cors === undefined ? {} : { cors }),
      ...(config.sentry?.dsn ? { sentry } : {}),
    },
    config,
  ) as TaskcastConfig;
  for (const role of ADAPTER_ROLES) {
    const adapter: unknown = config.adapters?.[role];
    if (!isNamed(adapter)) continue;
    const defaults = PROVIDER_DEFAULTS[adapter.provider] ?? {};
    Object.assign(merged.adapters!, { [role]: merge({ provider: "", ...defaults }, adapter) });
  }
  return merged;
}

function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  const mergeable = (value: unknown) =>
    typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (!mergeable(base) || !mergeable(over)) return over;
  const merged: Record<string, unknown> = { ...base as object };
  for (const [key, part] of Object.entries(over as object)) {
    merged[key] = merge(merged[key], part);
  }
  return merged;
}

/** Sorts keys in the order of the description; unknown ones come last. */
function inOrder(value: unknown, path: KeyPath = [], root: unknown = value): unknown {
  if (!hasParts(value)) return value;
  const at = schemaAt(configSchema, path, root);
  const schema = at?.type === "union" ? memberFor(at, value) : at;
  const order = Object.keys(schema?.type === "object" ? schema.shape : {});
  const rank = (key: string) => order.includes(key) ? order.indexOf(key) : order.length;
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => rank(a) - rank(b))
      .map(([key, part]) => [key, inOrder(part, [...path, key], root)]),
  );
}
