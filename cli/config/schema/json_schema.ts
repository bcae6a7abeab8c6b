import { z } from "zod";
import { annotationOf } from "./describe.ts";
import { configSchema } from "./schema.ts";
import { unwrapped } from "./walk.ts";

type Json = Record<string, unknown>;

/** A text with a variable, which may stand for any value. */
const VARIABLE = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\\}" };

/** Marks code, which data cannot hold. */
const CODE = "x-code";

/** Returns the JSON Schema of configurations in YAML and JSON, as the text of a file. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, {
    target: "draft-7", // The draft that editors support best.
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const type = unwrapped(zodSchema as unknown as z.ZodType);
      if (annotationOf(type).code) return void replace(jsonSchema, { [CODE]: true });
      if (["number", "boolean", "enum", "string"].includes(type.type)) {
        if ("anyOf" in jsonSchema) return; // An optional repeats its inner schema, which is replaced already.
        const { description, ...own } = jsonSchema;
        if (type.type === "string" && !("pattern" in own) && !("minLength" in own)) return;
        if (own.maximum === Number.MAX_SAFE_INTEGER) delete own.maximum;
        replace(jsonSchema, { ...(description && { description }), anyOf: [own, VARIABLE] });
      }
    },
  }) as Json;
  const { $schema, properties, ...rest } = withoutCode(schema) as Json & { properties: Json };
  const whole = {
    $schema,
    title: "Configuration of Taskcast",
    ...rest,
    properties: {
      $schema: { type: "string", description: "Address of this schema, for editors" },
      ...properties,
    },
  };
  return JSON.stringify(whole, null, 2) + "\n";
}

function replace(target: object, by: object): void {
  for (const key of Object.keys(target)) delete (target as Json)[key];
  Object.assign(target, by);
}

/** Removes the parts that are code. */
function withoutCode(part: unknown): unknown {
  if (Array.isArray(part)) return part.filter((item) => !isCode(item)).map(withoutCode);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).filter(([, item]) => !isCode(item))
      .map(([key, item]) => [key, withoutCode(item)]),
  );
}

function isCode(part: unknown): boolean {
  return typeof part === "object" && part !== null && CODE in part;
}
