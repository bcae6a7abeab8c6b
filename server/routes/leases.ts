import type { HeldLease } from "@taskcast/core/leases";
import type { RenewedLease } from "@taskcast/core/protocol";
import { invalidInput, TaskcastError } from "@taskcast/core/protocol";
import type { AuthContext } from "../auth/mod.ts";
import { jsonResponse } from "../requests/json_answer.ts";
import { LEASE_HEADER, leaseHeaders, leaseOf } from "../requests/lease_header.ts";
import type { Router } from "../router.ts";
import { renewBody, renewedLease, renewedLeases, takeLeaseBody } from "../schemas/lease.ts";
import { leasedTaskSchema } from "../schemas/task.ts";
import type { Services } from "./tasks.ts";

/** Adds operations by which producers say that they are alive. */
export function addLeaseRoutes(
  router: Router,
  { engine, gate }: Pick<Services, "engine" | "gate">,
): void {
  /** Returns whether a caller may publish to a task; a task that does not exist is not hidden. */
  async function mayRenew(auth: AuthContext, { taskId }: HeldLease): Promise<boolean> {
    try {
      return await gate.withTask(auth, "event:publish", taskId, () => Promise.resolve(true));
    } catch (error) {
      if (!(error instanceof TaskcastError)) throw error;
      if (error.code === "FORBIDDEN" || error.code === "TASK_NOT_FOUND") return false;
      throw error;
    }
  }

  router.add({
    method: "post",
    path: "/leases",
    tag: "Tasks",
    summary: "Renew leases",
    description:
      "One request for all leases of a process. Version and log of the tasks stay as they are. " +
      "`lost`: stop the work, it belongs to somebody else. `stopping`: somebody asked the task to stop.",
    scope: "event:publish",
    body: { schema: renewBody },
    responses: {
      200: {
        description: "The state of each lease, in order",
        content: { "application/json": { schema: renewedLeases } },
      },
    },
  }, async ({ auth, body: { leases: held } }) => {
    const allowed = await Promise.all(held.map((lease) => mayRenew(auth, lease)));
    const renewed = await engine.renewLeases(held.filter((_, at) => allowed[at]));
    let next = 0;
    const leases = held.map(({ taskId }, at): RenewedLease =>
      allowed[at] ? renewed[next++]! : { taskId, state: "lost" }
    );
    return jsonResponse({ leases });
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/lease",
    tag: "Tasks",
    summary: "Get a lease on a task whose status stays",
    scope: "task:manage",
    body: { schema: takeLeaseBody },
    errors: { 409: "The task has ended, or has a lease and `take` is not set" },
    responses: {
      200: {
        description: "The task, with the lease",
        content: { "application/json": { schema: leasedTaskSchema } },
      },
    },
  }, async ({ id, auth, body }) => {
    const task = await gate.withTask(
      auth,
      "task:manage",
      id,
      (at) => engine.takeLease(id, body, at),
    );
    return jsonResponse(gate.show(auth, task), { headers: leaseHeaders(task) });
  });

  router.add({
    method: "post",
    path: "/tasks/{id}/heartbeat",
    tag: "Tasks",
    summary: "Renew the lease of a task",
    description: `The token is in the header \`${LEASE_HEADER}\`.`,
    scope: "event:publish",
    responses: {
      200: {
        description: "The state of the lease",
        content: { "application/json": { schema: renewedLease } },
      },
    },
  }, async ({ id, auth, request }) => {
    const renewed = await gate.withTask(auth, "event:publish", id, async () => {
      const lease = leaseOf(request);
      if (lease === undefined) throw invalidInput(LEASE_HEADER, "is missing in the headers");
      return await engine.heartbeat(id, lease);
    });
    return jsonResponse(renewed);
  });
}
