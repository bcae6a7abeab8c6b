import { hintFor } from "@taskcast/core/protocol";
import { z } from "zod";

/** Returns a schema that refuses unknown fields and suggests known ones. */
export function strict<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `is not known; ${hintFor((issue.keys as string[])[0]!, known)}`
        : undefined,
  });
}
