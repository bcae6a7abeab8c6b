import { DEFAULT_GRACE_MS, isTerminal } from "@taskcast/core/protocol";
import { jsonResponse } from "../requests/json_answer.ts";
import { leaseOf } from "../requests/lease_header.ts";
import type { Router } from "../router.ts";
import { cancelBody } from "../schemas/cancel.ts";
import { taskSchema } from "../schemas/task.ts";
import type { Services } from "./tasks.ts";

/** Adds operations by which a task is asked to stop, and by which its producer confirms that. */
export function addCancelRoutes(
  router: Router,
  { engine, gate }: Pick<Services, "engine" | "gate">,
): void {
  const json = (description: string) => ({
    description,
    content: { "application/json": { schema: taskSchema } },
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/cancel",
    tag: "Tasks",
    summary: "Ask a task to stop",
    description:
      `The producer has \`graceMs\` (${DEFAULT_GRACE_MS}) to end the task itself, with its ` +
      "last results; after that the task is cancelled. A task that nobody works on is cancelled at " +
      "once. The first request stands, so repeating one is safe.",
    scope: "task:cancel",
    body: { schema: cancelBody, optional: true },
    errors: { 409: "The task has ended otherwise" },
    responses: {
      200: json("The task, cancelled"),
      202: json("The task, with the request in `cancel`"),
    },
  }, async ({ id, auth, body }) => {
    const task = await gate.withTask(
      auth,
      "task:cancel",
      id,
      (at) => engine.cancelTask(id, { ...body, by: auth.sub }, at),
    );
    const status = isTerminal(task.status) ? 200 : 202;
    return jsonResponse(gate.show(auth, task), { status });
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/cancel/seen",
    tag: "Tasks",
    summary: "Confirm that the producer saw the request to stop",
    description: "Repeating it changes nothing. A task with a lease needs it in `taskcast-lease`.",
    scope: "event:publish",
    errors: { 409: "Nobody asked the task to stop, it has ended, or the lease is lost" },
    responses: { 200: json("The task") },
  }, async ({ id, auth, request }) => {
    const lease = leaseOf(request);
    const task = await gate.withTask(
      auth,
      "event:publish",
      id,
      (at) => engine.confirmCancel(id, { ...at, lease }),
    );
    return jsonResponse(gate.show(auth, task));
  });
}
