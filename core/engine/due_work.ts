import type { DueKind, TaskRecord } from "../contracts/records.ts";
import type { EngineContext } from "../context/context.ts";
import type { Change } from "../domain/transition.ts";
import { applyTransition } from "../domain/transition.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { Writer } from "./writer.ts";

/** The time at which each kind of work is due, and the change that it makes. */
const DUE_WORK: Record<DueKind, {
  atMs: (record: TaskRecord) => number | undefined;
  change: (record: TaskRecord, nowMs: number) => Change;
}> = {
  deadline: {
    atMs: ({ deadlineAt }) => deadlineAt,
    change: (record, nowMs) =>
      applyTransition(record, "timeout", {
        error: { code: "TTL_EXPIRED", message: `The task's ttl ran out` },
      }, nowMs),
  },
  wake: {
    atMs: ({ task: { resumeAt } }) => resumeAt,
    change: (record, nowMs) => applyTransition(record, "running", {}, nowMs),
  },
};

/** Does due work. Does nothing if the task is gone, or if the work is not due any more. */
export async function doDueWork(
  { observers }: EngineContext,
  writer: Writer,
  kind: DueKind,
  taskId: string,
): Promise<void> {
  const work = DUE_WORK[kind];
  let lateMs = 0;
  try {
    await writer.change(taskId, (record, nowMs) => {
      const atMs = work.atMs(record);
      if (atMs === undefined || atMs > nowMs) throw new NotDue();
      lateMs = nowMs - atMs;
      return work.change(record, nowMs);
    }, { parent: { traceparent: undefined } });
    observers.notify("onDueWork", kind, lateMs);
  } catch (error) {
    if (error instanceof NotDue) return;
    if (error instanceof TaskcastError && error.code === "TASK_NOT_FOUND") return;
    throw error;
  }
}

/** Thrown if the task is not due, so that nothing is committed. */
class NotDue extends TaskcastError {
  constructor() {
    super("INVALID_TRANSITION", "The task is not due");
  }
}
