import type { TaskcastConfig } from "@taskcast/core";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { DEFAULTS, PROVIDER_DEFAULTS } from "./defaults.ts";
import { hostOf } from "./host_of.ts";
import type { Layers, Source } from "./layers.ts";
import { hasParts, leavesOf } from "./layers.ts";
import { isSecretName, MASK, maskUrl } from "./mask.ts";
import { isNamed } from "./provider.ts";
import { annotations } from "./schema/annotations.ts";
import type { KeyPath } from "./schema/key_path.ts";
import { pathText } from "./schema/key_path.ts";
import { configSchema } from "./schema/schema.ts";
import { memberFor, schemaAt } from "./schema/walk.ts";
import { storageOf } from "./storage_settings.ts";

/** One setting as it holds. */
export interface Listed {
  key: string;
  /** What it is; without what is secret in it. */
  value: unknown;
  source: Source;
}

/** Everything that holds, with where it comes from and without what is secret. */
export function listing({ config, sources }: Layers): Listed[] {
  const whole = inOrder(withDefaults(config));
  return [...leavesOf(whole)].map(([path, value]) => {
    const key = pathText(path);
    const source = sources.get(key) ?? { from: "default" };
    return { key, value: shown(value, path, whole), source };
  });
}

/** Whether the value at a path must not be shown. */
function isHidden(path: KeyPath, root: unknown): boolean {
  const schema = schemaAt(configSchema, path, root);
  return schema === undefined
    ? path.some((part) => isSecretName(String(part))) // An option of somebody else's adapter.
    : annotations.get(schema)?.secret === true;
}

/** A value for people and for JSON: code by its name, without what is secret in it. */
function shown(value: unknown, path: KeyPath, root: unknown): unknown {
  if (isHidden(path, root)) return MASK;
  // Keys of webhooks are in their queries.
  if (typeof value === "string") return maskUrl(value, { hideQuery: path[0] === "webhook" });
  if (typeof value === "function") return `(function ${value.name || "without a name"})`;
  if (Array.isArray(value)) return value.map((part, i) => shown(part, [...path, i], root));
  if (typeof value !== "object" || value === null) return value;
  const { constructor } = value;
  if (constructor === Object || constructor === undefined) {
    const parts = Object.values(value);
    // An adapter without a class; it may hold anything, itself too.
    if (parts.some((part) => typeof part === "function")) return "(object with functions)";
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, shown(part, [...path, key], root)]),
    );
  }
  return `(instance of ${constructor.name})`;
}

/** With the defaults of what is on: nobody asks for those of what is not. */
function withDefaults(config: TaskcastConfig): TaskcastConfig {
  const merged = merge(
    {
      port: DEFAULTS.port,
      host: hostOf(config) ?? "127.0.0.1, ::1",
      logLevel: DEFAULTS.logLevel,
      trustProxy: DEFAULTS.trustProxy,
      allowShortSecrets: DEFAULTS.allowShortSecrets,
      auth: { mode: DEFAULTS.auth!.mode },
      limits: DEFAULTS.limits,
      engine: {
        ...DEFAULTS.engine,
        ...(storageOf(config.adapters ?? {}).isPrivate ? { sweepMs: 0 } : {}),
      },
      webhook: DEFAULTS.webhook,
      ...(config.auth?.mode === "jwt" ? { auth: DEFAULTS.auth } : {}),
      ...(config.cors === undefined ? {} : { cors: DEFAULTS.cors }),
      ...(config.sentry?.dsn ? { sentry: DEFAULTS.sentry } : {}),
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

/** In the order of the documentation; what it does not know, in its own. */
function inOrder(value: unknown, path: KeyPath = [], root: unknown = value): unknown {
  if (!hasParts(value)) return value;
  const at = schemaAt(configSchema, path, root);
  const schema = at?.type === "union" ? memberFor(at, value) : at;
  const order = Object.keys(schema?.type === "object" ? schema.shape : {});
  const place = (key: string) => order.includes(key) ? order.indexOf(key) : order.length;
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => place(a) - place(b))
      .map(([key, part]) => [key, inOrder(part, [...path, key], root)]),
  );
}
