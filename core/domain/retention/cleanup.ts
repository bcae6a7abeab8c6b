import type { StoredEvent } from "../../contracts/records.ts";
import type { CleanupRule } from "../../protocol/cleanup.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";
import { matchesType } from "../filter.ts";

/** A rule and its name. */
export interface NamedRule {
  /** The rule's name, or its position: `rule 2`, `the task's rule 1`. */
  name: string;
  /** The rule. */
  rule: CleanupRule;
}

/** The fields of a task that clean-up depends on. */
type CleanedTask = Pick<Task, "type" | "status" | "completedAt" | "cleanup">;

/** Returns the rules for a task: the common rules, then its own. */
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
 * Returns the times at which a rule is applied to a task, earliest first; empty if the rule does not
 * match the task or the task has not ended.
 *
 * When a rule with a minimum event age first becomes due, some events may still be too young. All of
 * them are old enough once the task itself ended that long ago, so the rule is applied again then.
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

/** Returns the time of a task's next clean-up after `afterMs`; `undefined` if there is none. */
export function nextCleanup(
  rules: readonly NamedRule[],
  task: CleanedTask,
  afterMs: number = -Infinity,
): number | undefined {
  const times = rules.flatMap(({ rule }) => cleanupTimes(rule, task)).filter((at) => at > afterMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Returns the rules that are due for a task. */
export function dueRules(
  rules: readonly NamedRule[],
  task: CleanedTask,
  nowMs: number,
): NamedRule[] {
  return rules.filter(({ rule }) => cleanupTimes(rule, task).some((at) => at <= nowMs));
}

/** Returns whether a rule's event filter matches an event at a given time. */
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
