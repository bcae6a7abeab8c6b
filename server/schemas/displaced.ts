import type { Task } from "@taskcast/core/protocol";
import { z } from "zod";
import { single } from "./single.ts";
import { strict } from "./strict.ts";
import { taskId } from "./basics.ts";
import { taskSchema } from "./task.ts";

/** Query of `GET /displaced/export` and `DELETE /displaced`. */
export const displacedTaskQuery: z.ZodType<{ taskId: string; incarnation: string }> = z.lazy(() =>
  strict({
    taskId: single(taskId, { description: "As returned by the list" }),
    incarnation: single(
      z.string().regex(/^[0-9a-z]{8}$/, "must be the incarnation of a task in the list"),
      { description: "As returned by the list" },
    ),
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
