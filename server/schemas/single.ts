import { z } from "zod";
import type { Description } from "../openapi/described.ts";
import { described } from "../openapi/described.ts";

/** Makes a schema of a query parameter, which comes as all its values, that is given once. */
export function single<Output>(
  schema: z.ZodType<Output, string>,
  of: Description,
): z.ZodType<Output, string[]> {
  return described(
    z.array(z.string())
      .refine((values) => values.length === 1, "is given more than once, and takes one value")
      .transform((values) => values[0]!)
      .pipe(schema),
    { type: "string", ...of },
  );
}
