import { BOUNDS, MAX_GRACE_MS } from "@taskcast/core/protocol";
import { z } from "zod";
import { described } from "../openapi/described.ts";
import { strict } from "./strict.ts";

/** Body of `POST /tasks/:id/cancel`. */
export interface CancelBody {
  reason?: string;
  graceMs?: number;
}

const reason = z.string().min(1).max(BOUNDS.reasonLength);

/** Schema of {@linkcode CancelBody}. */
export const cancelBody: z.ZodType<CancelBody> = z.lazy(() =>
  described(
    strict({
      reason: reason.optional(),
      graceMs: described(z.number().int().min(0).max(MAX_GRACE_MS).optional(), {
        description: "Milliseconds that the producer has to end the task itself",
      }),
    }),
    "CancelRequest",
  )
);
