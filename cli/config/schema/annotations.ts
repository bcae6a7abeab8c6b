import { z } from "zod";

/** What a schema tells beside what it checks. */
export interface Annotation {
  /** It must never be shown. */
  secret?: true;
  /** What is wanted, where the schema itself cannot say it well. */
  wanted?: string;
  /** It is code: only TypeScript and JavaScript can have it. */
  code?: true;
}

/** What schemas of the configuration tell beside what they check. */
export const annotations: ReturnType<typeof z.registry<Annotation>> = z.registry<Annotation>();

/** Marks a schema as one whose values must never be shown. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return annotated(schema, { secret: true });
}

/** Says in words what a schema wants. */
export function wants<Schema extends z.ZodType>(schema: Schema, wanted: string): Schema {
  return annotated(schema, { wanted });
}

/** What only a program can give: functions and objects with functions. */
export function code<Type>(
  wanted: string,
  check: (value: unknown) => boolean,
): z.ZodType<Type, Type> {
  return annotated(z.custom<Type>(check), { wanted, code: true }) as z.ZodType<Type, Type>;
}

function annotated<Schema extends z.ZodType>(schema: Schema, annotation: Annotation): Schema {
  annotations.add(schema, annotation);
  return schema;
}
