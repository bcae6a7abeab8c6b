import type { TaskStatus } from "../../protocol/status.ts";

/** The allowed transitions: the complete state machine. */
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

/** Returns whether a task can change from one status to another. */
export function canTransition(from: TaskStatus, to: TaskStatus): boolean {
  return NEXT_STATUSES[from].includes(to);
}
