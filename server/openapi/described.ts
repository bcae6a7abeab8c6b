import { z } from "zod";

/** Additions to a schema in the OpenAPI document that are not part of validation. */
export interface Description {
  /** Name under `components`, by which the document refers to the schema. */
  id?: string;
  description?: string;
  example?: unknown;
  default?: unknown;
  /** JSON Schema for what zod cannot express: a text that becomes a number, or a custom check. */
  type?: "string" | "integer" | "boolean" | "object";
  minimum?: number;
  maximum?: number;
  enum?: readonly string[];
  additionalProperties?: boolean;
}

/** A separate registry: zod's global one is shared with the host, whose names may collide. */
export const descriptions: ReturnType<typeof z.registry<Description>> = z.registry<Description>();

/** Names or describes a schema for the document. Returns the same schema. */
export function described<Schema extends z.ZodType>(
  schema: Schema,
  of: string | Description,
): Schema {
  descriptions.add(schema, typeof of === "string" ? { id: of } : of);
  return schema;
}
