import type { TaskStatus } from "../protocol/task.ts";

/** Which states can follow which. The whole state machine: nothing else decides. */
export const NEXT_STATUSES: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  pending: ["assigned", "running", "paused", "completed", "failed", "timeout", "cancelled"],
  assigned: ["running", "pending", "paused", "completed", "failed", "timeout", "cancelled"],
  running: ["paused", "blocked", "completed", "failed", "timeout", "cancelled"],
  paused: ["running", "assigned", "blocked", "failed", "timeout", "cancelled"],
  blocked: ["running", "assigned", "paused", "failed", "timeout", "cancelled"],
  completed: [],
  failed: [],
  timeout: [],
  cancelled: [],
};

/** Whether a task can go from one state to another. */
export function canTransition(from: TaskStatus, to: TaskStatus): boolean {
  return NEXT_STATUSES[from].includes(to);
}
