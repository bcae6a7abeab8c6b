import type { TaskcastConfig } from "@taskcast/core/config";
import { didYouMean, hintFor } from "@taskcast/core/protocol";
import type { z } from "zod";
import { annotationOf } from "../schema/describe.ts";
import type { RawConfig } from "./read_file.ts";
import type { KeyPath } from "../schema/key_path.ts";
import { pathText, setAt, valueAt } from "../schema/key_path.ts";
import { configSchema } from "../schema/schema.ts";
import { memberFor, schemaAt, unwrapped } from "../schema/walk.ts";
import { expectedBy, foundValue } from "../schema/wording.ts";

/** A valid configuration, or all problems with it, one line each. */
export type Validated =
  | { config: TaskcastConfig; problems?: undefined }
  | { config?: undefined; problems: string[] };

/** Validates a configuration on its own, without other sources. */
export function validate(raw: RawConfig): Validated {
  let result = configSchema.safeParse(raw.value);
  if (!result.success && convertVariables(raw, result.error.issues)) {
    result = configSchema.safeParse(raw.value);
  }
  const problems = [
    ...[...raw.problems].map(([path, problem]) => `${path}: ${problem}`),
    ...problemsOf(result.error?.issues ?? [], raw),
    ...(raw.isData ? codeIn(configSchema, raw.value, []) : []),
  ];
  return result.success && problems.length === 0 ? { config: result.data } : { problems };
}

/** Converts texts that came from a variable where a number or a boolean is expected. */
function convertVariables(
  { value, variables }: RawConfig,
  issues: readonly z.core.$ZodIssue[],
): boolean {
  let changed = false;
  for (const path of typeIssues(value, issues)) {
    const at = valueAt(value, path);
    const type = schemaAt(configSchema, path, value)?.type;
    if (typeof at !== "string" || !variables.has(pathText(path))) continue;
    if (type === "boolean" && (at === "true" || at === "false")) {
      setAt(value, path, at === "true");
      changed = true;
    }
    if (type === "number" && /^-?\d+(\.\d+)?$/.test(at)) {
      setAt(value, path, Number(at));
      changed = true;
    }
  }
  return changed;
}

/** Returns the paths of values with the wrong type. */
function typeIssues(value: unknown, issues: readonly z.core.$ZodIssue[]): KeyPath[] {
  return withinUnions(issues, value).filter(({ code }) => code === "invalid_type")
    .map(({ path }) => path);
}

/**
 * Replaces issues about unions. Zod reports that no member fits, or an issue of a member that was not
 * meant; this returns the issues of the member that was meant.
 */
function withinUnions(issues: readonly z.core.$ZodIssue[], root: unknown): z.core.$ZodIssue[] {
  const seen = new Set<string>();
  return issues.flatMap((issue) => {
    const at = issue.path.findIndex((_, i) =>
      schemaAt(configSchema, issue.path.slice(0, i + 1), root)?.type === "union"
    );
    if (at < 0) return [issue];
    const path = issue.path.slice(0, at + 1);
    if (seen.has(pathText(path))) return [];
    seen.add(pathText(path));
    const value = valueAt(root, path);
    const result = memberFor(schemaAt(configSchema, path, root)!, value)?.safeParse(value);
    const inner = result?.success === false ? result.error.issues : [];
    const whole = inner.length === 0 ||
      inner.some((one) => one.path.length === 0 && one.code !== "unrecognized_keys");
    if (whole) return [{ ...issue, path }];
    return inner.map((one) => ({ ...one, path: [...path, ...one.path] }));
  });
}

function problemsOf(issues: readonly z.core.$ZodIssue[], raw: RawConfig): string[] {
  return withinUnions(issues, raw.value).flatMap((issue) =>
    raw.problems.has(pathText(issue.path)) || raw.isData && isCodeAt(issue.path, raw.value)
      ? [] // Reported already: a variable that is not set, or code.
      : issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => unknownKey(issue.path, key, raw.value))
      : [mismatch(issue.path, raw)]
  );
}

function unknownKey(path: KeyPath, key: string, root: unknown): string {
  const name = pathText([...path, key]);
  const parent = schemaAt(configSchema, path, root);
  const object = parent?.type === "union" ? memberFor(parent, valueAt(root, path)) : parent;
  const known = object?.type === "object" ? Object.keys(object.shape) : [];
  return `${name}: there is no such key; ${hintFor(key, known)}`;
}

function isCodeAt(path: KeyPath, root: unknown): boolean {
  const schema = schemaAt(configSchema, path, root);
  return schema !== undefined && annotationOf(schema).code === true;
}

/** Returns problems with code in data, which only a program can provide. */
function codeIn(schema: z.ZodType, value: unknown, path: KeyPath): string[] {
  const { type, shape } = unwrapped(schema);
  if (type !== "object" || typeof value !== "object" || value === null) return [];
  return Object.entries(shape).flatMap(([key, part]) => {
    if (!Object.hasOwn(value, key)) return [];
    const at = [...path, key];
    return annotationOf(unwrapped(part)).code
      ? [`${pathText(at)}: is code, so it needs a configuration in TypeScript or JavaScript`]
      : codeIn(part, (value as Record<string, unknown>)[key], at);
  });
}

function mismatch(path: KeyPath, { value }: RawConfig): string {
  const schema = schemaAt(configSchema, path, value) ?? unwrapped(configSchema);
  const name = path.length === 0 ? "the configuration" : `${pathText(path)}:`;
  const { secret } = annotationOf(schema);
  const found = valueAt(value, path);
  const close = schema.type === "enum" && typeof found === "string"
    ? didYouMean(found, schema.options as unknown as string[])
    : undefined;
  const hint = close === undefined ? "" : `; did you mean "${close}"?`;
  return `${name} must be ${expectedBy(schema)}, and ${foundValue(found, secret === true)}${hint}`;
}
