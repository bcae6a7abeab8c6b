import type { StoredEvent } from "../contracts/records.ts";
import type { CleanupRule } from "../protocol/cleanup.ts";
import type { Task } from "../protocol/task.ts";
import { isTerminal } from "../protocol/task.ts";
import { matchesType } from "./filter.ts";

/** A rule, and what it is called. */
export interface NamedRule {
  /** Its name, or where it stands: `rule 2`, `the task's rule 1`. */
  name: string;
  /** What it says. */
  rule: CleanupRule;
}

/** What a task's clean-up looks at. */
type CleanedTask = Pick<Task, "type" | "status" | "completedAt" | "cleanup">;

/** The rules about a task: those of all tasks, and then its own. */
export function rulesOf(common: readonly CleanupRule[], { cleanup }: CleanedTask): NamedRule[] {
  return [
    ...common.map((rule, i) => ({ name: rule.name ?? `rule ${i + 1}`, rule })),
    ...(cleanup?.rules ?? []).map((rule, i) => ({
      name: rule.name ?? `the task's rule ${i + 1}`,
      rule,
    })),
  ];
}

/**
 * When a rule is carried out on a task, earliest first; never, if the rule is not about it or it has
 * not ended.
 *
 * Events that must be of some age may not have it yet when the rule is due. They have it for certain
 * when the task ended so long ago, so the rule is then carried out again.
 */
export function cleanupTimes(rule: CleanupRule, task: CleanedTask): number[] {
  const { type = "", status, completedAt } = task;
  const { match = {}, trigger: { afterMs }, target, eventFilter = {} } = rule;
  if (!isTerminal(status) || completedAt === undefined) return [];
  if (match.taskTypes !== undefined && !matchesType(type, match.taskTypes)) return [];
  if (match.status !== undefined && !match.status.includes(status)) return [];
  const { olderThanMs = 0 } = eventFilter;
  const times = [completedAt + afterMs];
  if (target === "events" && olderThanMs > afterMs) times.push(completedAt + olderThanMs);
  return times;
}

/** When a task is to be cleaned next, after a time; `undefined` if never. */
export function nextCleanup(
  rules: readonly NamedRule[],
  task: CleanedTask,
  afterMs: number = -Infinity,
): number | undefined {
  const times = rules.flatMap(({ rule }) => cleanupTimes(rule, task)).filter((at) => at > afterMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The rules that are to be carried out on a task by now. */
export function dueRules(
  rules: readonly NamedRule[],
  task: CleanedTask,
  nowMs: number,
): NamedRule[] {
  return rules.filter(({ rule }) => cleanupTimes(rule, task).some((at) => at <= nowMs));
}

/** Whether a rule's event filter takes an event, by now. */
export function takesEvent(
  { eventFilter = {} }: CleanupRule,
  { type, level, timestamp, seriesMode }: StoredEvent,
  nowMs: number,
): boolean {
  const { types, levels, olderThanMs = 0, seriesMode: mode } = eventFilter;
  return (types === undefined || matchesType(type, types)) &&
    (levels === undefined || levels.includes(level)) &&
    (mode === undefined || mode === seriesMode) &&
    timestamp + olderThanMs <= nowMs;
}
