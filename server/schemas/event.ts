import type { EventInput, PublishReceipt, TaskEvent } from "@taskcast/core/protocol";
import { LEVELS, RESERVED_TYPE_PREFIX, SERIES_MODES } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { strict } from "./strict.ts";
import { name, taskId, time } from "./basics.ts";

const level = z.lazy(() => described(z.enum(LEVELS), "Level"));
const seriesMode = z.lazy(() => described(z.enum(SERIES_MODES), "SeriesMode"));
const index = z.number().int().nonnegative();

/** One event of `POST /tasks/:id/events`. */
export const eventBody: z.ZodType<EventInput> = z.lazy(() =>
  described(
    strict({
      type: described(name.clone(), {
        description: `Dotted; must not begin with \`${RESERVED_TYPE_PREFIX}\``,
        example: "llm.delta",
      }),
      level: level.optional(),
      data: described(z.any(), { description: "Any JSON value", example: { delta: "Hello" } }),
      seriesId: name.optional(),
      seriesMode: seriesMode.optional(),
      seriesAccField: described(name.optional(), {
        description: "Field of `data` that an `accumulate` series appends; `delta` if left " +
          "out. Must contain a string, or `null` to start over",
      }),
      producerId: name.optional(),
      producerSeq: index.optional(),
      producerEpoch: index.optional(),
    }),
    "EventInput",
  )
);

/** A stored event. */
export const eventSchema: z.ZodType<TaskEvent> = z.lazy(() =>
  described(
    z.object({
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
    }),
    "Event",
  )
);

/** Answer to an NDJSON publish. */
export const receiptSchema: z.ZodType<PublishReceipt> = z.lazy(() =>
  described(
    z.object({
      published: index,
      lastIndex: z.number().int().min(-1),
    }),
    "PublishReceipt",
  )
);
