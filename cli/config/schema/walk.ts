import type { z } from "zod";
import { annotationOf } from "./describe.ts";
import type { KeyPath } from "./key_path.ts";

// Reads a zod schema as a tree: the only place that depends on zod's internals.

/** A schema of any kind. */
export type Schema = z.ZodType & {
  type: string;
  unwrap(): Schema;
  shape: Record<string, Schema>;
  element: Schema;
  valueType: Schema;
  options: readonly Schema[];
  values: Set<unknown>;
  minValue: number;
  maxValue: number;
  minLength: number | null;
  isInt?: boolean;
};

/** Returns the schema inside an optional one. */
export function unwrapped(schema: z.ZodType): Schema {
  let at = schema as Schema;
  while (at.type === "optional") at = at.unwrap();
  return at;
}

/** Returns the schema at a path. In a union it is the member that the part of `value` there is meant as. */
export function schemaAt(schema: z.ZodType, path: KeyPath, value: unknown): Schema | undefined {
  let at: Schema | undefined = unwrapped(schema);
  let part = value;
  for (const key of path) {
    if (at.type === "union") at = memberFor(at, part) ?? at;
    const next: Schema | undefined = at.type === "object"
      ? at.shape[String(key)]
      : at.type === "array"
      ? at.element
      : at.type === "record"
      ? at.valueType
      : undefined;
    if (next === undefined) return undefined;
    at = unwrapped(next);
    part = (part as Record<PropertyKey, unknown> | undefined)?.[key];
  }
  return at;
}

/** Returns the member of a union that a value is meant as, by its kind or by a literal in it. */
export function memberFor(union: Schema, value: unknown): Schema | undefined {
  const options = union.options.map(unwrapped);
  if (typeof value === "boolean") return options.find(({ type }) => type === "boolean");
  if (typeof value === "string") {
    return options.find(({ type, values }) => type === "string" || values?.has(value));
  }
  if (Array.isArray(value)) return options.find(({ type }) => type === "array");
  if (typeof value !== "object" || value === null) return undefined;
  const objects = options.filter(({ type }) => type === "object");
  const tagged = objects.find(({ shape }) =>
    Object.entries(shape).some(([name, part]) =>
      part.type === "literal" && part.values.has((value as Record<string, unknown>)[name])
    )
  );
  if (tagged !== undefined) return tagged;
  const isData = Object.getPrototypeOf(value) === Object.prototype && !("close" in value);
  return isData ? objects.at(-1) : options.find((option) => annotationOf(option).code);
}
