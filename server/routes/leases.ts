import type { IncarnationOptions } from "@taskcast/core";
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
  /**
   * Returns what the gate allows for one lease, or `undefined` where the caller may not publish or there
   * is no task: the answer does not say which.
   */
  async function allowed<T>(
    auth: AuthContext,
    { taskId }: HeldLease,
    step: (at: IncarnationOptions) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await gate.withTask(auth, "event:publish", taskId, step);
    } catch (error) {
      if (!(error instanceof TaskcastError)) throw error;
      if (error.code === "FORBIDDEN" || error.code === "TASK_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** Renews leases of tasks in the incarnations that the caller may publish to. */
  async function renew(auth: AuthContext, held: readonly HeldLease[]): Promise<RenewedLease[]> {
    const named = await Promise.all(
      held.map((one) => allowed(auth, one, (at) => Promise.resolve({ ...one, ...at }))),
    );
    const renewed = await engine.renewLeases(named.filter((one) => one !== undefined));
    let next = 0;
    return await Promise.all(named.map(async (one, i) => {
      const { taskId, lease } = held[i]!;
      const lost: RenewedLease = { taskId, state: "lost" };
      if (one === undefined) return lost;
      const found = renewed[next++]!;
      if (found.state !== "deleted" || one.incarnation === undefined) return found;
      // The gate's cache may be about an earlier task of this id.
      return await allowed(auth, one, (at) => engine.heartbeat(taskId, lease, at)) ?? lost;
    }));
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
  }, async ({ auth, body }) => jsonResponse({ leases: await renew(auth, body.leases) }));

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
    const renewed = await gate.withTask(auth, "event:publish", id, async (at) => {
      const lease = leaseOf(request);
      if (lease === undefined) throw invalidInput(LEASE_HEADER, "is missing in the headers");
      return await engine.heartbeat(id, lease, at);
    });
    return jsonResponse(renewed);
  });
}
