import type { Task } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { taskId, taskSchema } from "./task.ts";

/** Query of `GET /displaced/export` and `DELETE /displaced`. */
export const displacedTaskQuery: z.ZodType<{ taskId: string; incarnation: string }> = z.lazy(() =>
  z.object({
    taskId,
    incarnation: described(z.string().regex(/^[0-9a-z]{8}$/), {
      description: "As the list tells it",
    }),
  })
);

/** Answer to `GET /displaced`. */
export const displacedPageSchema: z.ZodType<
  { tasks: { task: Task; incarnation: string }[]; nextCursor?: string }
> = z.lazy(() =>
  z.object({
    tasks: z.array(z.object({ task: taskSchema, incarnation: z.string() })),
    nextCursor: z.string().optional(),
  })
);
