import { BOUNDS, TASK_ID_PATTERN, TASK_ID_RULE } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";

// deno-lint-ignore no-explicit-any
type JsonObject = Record<string, any>;

/** A JSON object with any members. */
export const jsonObject: z.ZodType<JsonObject> = described(
  z.custom<JsonObject>(
    // Passed on unchanged: a copy would lose a key like "__proto__".
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be an object",
  ),
  { type: "object", additionalProperties: true },
);

/** A type, a name, or the id of a series. */
export const name: z.ZodString = z.string().min(1).max(BOUNDS.nameLength);

/** Unix milliseconds. */
export const time: z.ZodNumber = described(z.number().int(), { description: "Unix milliseconds" });

/** A task's id. */
export const taskId: z.ZodString = described(
  z.string().regex(TASK_ID_PATTERN, TASK_ID_RULE),
  { example: "01JCZK8Y5T0V1W2X3Y4Z5A6B7C" },
);
