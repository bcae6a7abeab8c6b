import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { annotations } from "./annotations.ts";
import { DEFAULTS, PROVIDER_DEFAULTS } from "../defaults.ts";
import type { KeyPath } from "./key_path.ts";
import { valueAt } from "./key_path.ts";
import { configSchema } from "./schema.ts";
import type { Schema } from "./walk.ts";
import { unwrapped } from "./walk.ts";
import { SETTINGS } from "../settings_table.ts";
import { wantedBy } from "./wording.ts";

/** One key as the documentation tells of it. */
export interface DocumentedKey {
  /** `auth.jwt.secret`; `adapters.*.url` is that of each adapter of its provider. */
  key: string;
  /** For an option of an adapter: of which provider. */
  provider?: string;
  type: string;
  default?: unknown;
  env?: string;
  flag?: string;
  text: string;
}

/** Every key that has a value of its own, in order. */
export function documentedKeys(): DocumentedKey[] {
  const keys: DocumentedKey[] = [];
  walk(configSchema as Schema, []);
  return keys;

  function walk(part: Schema, path: KeyPath, provider?: string): void {
    const schema = unwrapped(part);
    if (path[0] === "adapters" && path.length === 2) {
      if (path[1] === ADAPTER_ROLES[0]) walkProviders(schema);
      return;
    }
    if (schema.type === "object") {
      for (const [name, child] of Object.entries(schema.shape)) {
        walk(child, [...path, name], provider);
      }
      return;
    }
    if (schema.type === "array" && unwrapped(schema.element).type === "object") {
      walk(schema.element, [...path.slice(0, -1), `${String(path.at(-1))}[]`]);
      return;
    }
    if (schema.type === "literal") return;
    const key = path.join(".");
    const setting = SETTINGS.find((one) => one.path === key && one.provider === provider);
    keys.push({
      key,
      provider,
      type: schema.type === "record"
        ? `by name, ${wantedBy(unwrapped(schema.valueType))}`
        : wantedBy(schema),
      default: provider === undefined
        ? valueAt(DEFAULTS, path)
        : PROVIDER_DEFAULTS[provider]?.[String(path.at(-1))],
      env: setting?.env,
      flag: setting?.flag?.name,
      text: (part.description ?? "") +
        (annotations.get(schema)?.code ? "; only in TypeScript and JavaScript" : ""),
    });
  }

  /** The same for each part, so they are told once. */
  function walkProviders(union: Schema): void {
    const setting = SETTINGS.find(({ path }) => path === "adapters.*.provider")!;
    keys.push({
      key: "adapters.*.provider",
      type: "memory, sqlite, redis, postgres, deno-kv, or a module",
      default: "memory",
      env: setting.env,
      flag: setting.flag!.name,
      text: "What it is; the variable is for `broadcast` and `shortTerm`",
    });
    for (const option of union.options.map(unwrapped)) {
      const provider = option.type === "object"
        ? [...option.shape.provider!.values ?? []][0]
        : undefined;
      if (typeof provider !== "string") continue;
      for (const [name, child] of Object.entries(option.shape)) {
        walk(child, ["adapters", "*", name], provider);
      }
    }
  }
}

/** The keys as a table in Markdown. */
export function keysTable(): string {
  const rows = documentedKeys().map(({ key, provider, type, default: value, env, flag, text }) => [
    `\`${key}\`${provider === undefined ? "" : ` (${provider})`}`,
    type,
    value === undefined ? "" : `\`${value}\``,
    [env, flag].filter((name) => name !== undefined).map((name) => `\`${name}\``).join(", "),
    text,
  ]);
  const lines = [
    ["Key", "Type", "Default", "Environment, option", "Meaning"],
    Array(5).fill("---"),
    ...rows,
  ];
  return lines.map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`
  )
    .join("");
}
