/** All statuses of a task, in their usual order. */
export const TASK_STATUSES = [
  "pending",
  "assigned",
  "running",
  "paused",
  "blocked",
  "completed",
  "failed",
  "timeout",
  "cancelled",
] as const;

/** The status of a task. `completed`, `failed`, `timeout` and `cancelled` are terminal. */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The four statuses that end a task. */
export const TERMINAL_STATUSES = ["completed", "failed", "timeout", "cancelled"] as const;

/** A status that ends a task. */
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/** Returns whether `status` ends a task. */
export function isTerminal(status: TaskStatus): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly string[]).includes(status);
}
