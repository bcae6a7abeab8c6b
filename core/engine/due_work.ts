import type { DueKind, TaskRecord } from "../contracts/records.ts";
import type { FoundWork } from "../background/deadlines.ts";
import type { EngineContext } from "../context/context.ts";
import { isTerminal } from "../protocol/status.ts";
import { forceCancel } from "../domain/transitions/cancel.ts";
import { applyLoss, graceMs, putOffExpiry } from "../domain/transitions/lost_lease.ts";
import type { Change } from "../domain/transitions/transition.ts";
import { applyTransition } from "../domain/transitions/transition.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { Writer } from "./writer.ts";
import { NotDue } from "./writer.ts";

/** Returns the change that due work makes, or `undefined` if the work is not due any more. */
type Rule = (record: TaskRecord, nowMs: number, found: FoundWork) => Change | undefined;

const RULES: Record<DueKind, Rule> = {
  deadline(record, nowMs) {
    const { task: { status, cancel }, deadlineAt = Infinity } = record;
    if (isTerminal(status)) return undefined;
    const graceEndsAt = cancel?.deadlineAt ?? Infinity;
    if (graceEndsAt <= Math.min(nowMs, deadlineAt)) return forceCancel(record, nowMs);
    if (deadlineAt > nowMs) return undefined;
    const error = { code: "TTL_EXPIRED", message: `The task's ttl ran out` };
    return applyTransition(record, "timeout", { error }, nowMs);
  },
  wake(record, nowMs) {
    const { task: { resumeAt } } = record;
    if (resumeAt === undefined || resumeAt > nowMs) return undefined;
    return applyTransition(record, "running", {}, nowMs);
  },
  // The store checks that the lease has expired.
  lease(record, nowMs, { atMs, steadyMs }) {
    if (record.lease === undefined || record.task.status === "paused") return undefined;
    const isPutOff = record.leasePutOffTo === atMs;
    return isPutOff || steadyMs >= graceMs(record)
      ? applyLoss(record, nowMs)
      : putOffExpiry(record, nowMs);
  },
};

/** Does due work. Does nothing if the task is gone, or if the work is not due any more. */
export async function doDueWork(
  { observers, clock }: EngineContext,
  writer: Writer,
  found: FoundWork,
): Promise<void> {
  const { kind, taskId } = found;
  let lateMs = 0;
  try {
    const { record } = await writer.change(taskId, (record, nowMs) => {
      const change = RULES[kind](record, nowMs, found);
      if (change === undefined) throw new NotDue();
      lateMs = nowMs - found.atMs;
      return change;
    }, {
      parent: { traceparent: undefined },
      ...(kind === "lease" && { leaseBy: clock.now() }),
    });
    if (kind === "lease" && isTerminal(record.task.status)) writer.counts.leasesLost++;
    observers.notify("onDueWork", kind, lateMs);
  } catch (error) {
    if (error instanceof NotDue) return;
    if (error instanceof TaskcastError && error.code === "TASK_NOT_FOUND") return;
    throw error;
  }
}
