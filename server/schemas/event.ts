import { z } from "@hono/zod-openapi";
import type { EventInput, PublishReceipt, TaskEvent } from "@taskcast/core/protocol";
import { LEVELS, RESERVED_TYPE_PREFIX, SERIES_MODES } from "@taskcast/core/protocol";
import { name, taskId, time } from "./task.ts";

const level = z.enum(LEVELS).openapi("Level");
const seriesMode = z.enum(SERIES_MODES).openapi("SeriesMode");
const index = z.number().int().nonnegative();

/** One event of `POST /tasks/:id/events`. */
export const eventBody: z.ZodType<EventInput> = z.strictObject({
  type: name.openapi({
    description: `Dotted; must not begin with \`${RESERVED_TYPE_PREFIX}\``,
    example: "llm.delta",
  }),
  level: level.optional(),
  data: z.any().openapi({ description: "Any JSON value", example: { delta: "Hello" } }),
  seriesId: name.optional(),
  seriesMode: seriesMode.optional(),
  seriesAccField: name.optional(),
  producerId: name.optional(),
  producerSeq: index.optional(),
  producerEpoch: index.optional(),
}).openapi("EventInput");

/** A stored event. */
export const eventSchema: z.ZodType<TaskEvent> = z.object({
  id: z.string(),
  taskId,
  index,
  timestamp: time,
  type: name,
  level,
  data: z.any(),
  seriesId: name.optional(),
  seriesMode: seriesMode.optional(),
  seriesAccField: name.optional(),
  seriesSnapshot: z.boolean().optional(),
}).openapi("Event");

/** Answer to an NDJSON publish. */
export const receiptSchema: z.ZodType<PublishReceipt> = z.object({
  published: index,
  lastIndex: z.number().int().min(-1),
}).openapi("PublishReceipt");
