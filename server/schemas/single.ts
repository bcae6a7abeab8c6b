import { z } from "zod";
import type { Description } from "../openapi/described.ts";
import { described } from "../openapi/described.ts";

/**
 * Returns a schema of a query parameter that may be given once only. Its input is the list of all
 * values.
 */
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
