import { z } from "zod";

/** Additions to a schema for the OpenAPI document. */
export interface Description {
  /** Its name; it stands under `components` and is referred to. */
  id?: string;
  description?: string;
  example?: unknown;
  default?: unknown;
  /** JSON Schema of what zod cannot tell: of a text that becomes a number, of a custom check. */
  type?: "string" | "integer" | "boolean" | "object";
  minimum?: number;
  maximum?: number;
  enum?: readonly string[];
  additionalProperties?: boolean;
}

/** A registry of our own: zod's global one is shared with the host, whose names may be the same. */
export const descriptions: ReturnType<typeof z.registry<Description>> = z.registry<Description>();

/** Names a schema, or says in the document what it is for. Takes and returns the same schema. */
export function described<Schema extends z.ZodType>(
  schema: Schema,
  of: string | Description,
): Schema {
  descriptions.add(schema, typeof of === "string" ? { id: of } : of);
  return schema;
}
