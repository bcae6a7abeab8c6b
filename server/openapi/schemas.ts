import { z } from "zod";
import { descriptions } from "./described.ts";

/** A JSON Schema. */
export type JsonSchema = Record<string, unknown>;

const DEFINITION = "#/$defs/";

/** Converts schemas to JSON Schema. Each named schema is written once. */
export class DocumentedSchemas {
  readonly #written = new Map<z.ZodType, JsonSchema>();
  /** The named schemas. */
  readonly named: Record<string, JsonSchema> = {};

  /** Returns a schema as the document shows it: in full, or as a reference to {@linkcode named}. */
  of(schema: z.ZodType): JsonSchema {
    const written = this.#written.get(schema) ?? this.#write(schema);
    this.#written.set(schema, written);
    return written;
  }

  #write(schema: z.ZodType): JsonSchema {
    const { $schema: _, $defs, ...written } = z.toJSONSchema(schema, {
      metadata: descriptions,
      io: "input", // The form before parsing; answers are not parsed.
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        const description = descriptions.get(zodSchema);
        if (description?.type !== undefined) replace(jsonSchema, description);
        withoutNoise(jsonSchema);
      },
    }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
    for (const [name, definition] of Object.entries($defs ?? {})) {
      this.named[name] = referring(definition) as JsonSchema;
    }
    return referring(written) as JsonSchema;
  }
}

function replace(target: object, by: object): void {
  for (const key of Object.keys(target)) delete (target as JsonSchema)[key];
  Object.assign(target, by);
}

/** Removes keywords without information, such as the range of safe integers. */
function withoutNoise(schema: JsonSchema): void {
  if (schema.type !== "integer") return;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** Returns a copy whose references point to OpenAPI's definitions, which have no `id` there. */
function referring(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(referring);
  if (typeof part !== "object" || part === null) return part;
  const schema = part as JsonSchema;
  if (typeof schema.$ref === "string" && schema.$ref.startsWith(DEFINITION)) {
    const { $ref, id: _, ...rest } = schema;
    return { $ref: `#/components/schemas/${$ref.slice(DEFINITION.length)}`, ...rest };
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referring(value)]));
}
