import type { ListQuery } from "../contracts/task_reader.ts";
import type { Task } from "../protocol/task.ts";
import { matchesType } from "./filter.ts";

/** The fields by which lists of tasks are ordered. */
export type ListKey = Pick<Task, "createdAt" | "id">;

/** The conditions of a list query, all of which must hold. */
export type ListConditions = Pick<ListQuery, "statuses" | "types" | "tag" | "priority">;

/** Returns whether a task meets the conditions of a list query. */
export function matchesListQuery(
  { status, type = "", tags, priority: actual = 0 }: Readonly<
    Pick<Task, "status" | "type" | "tags" | "priority">
  >,
  { statuses, types, tag, priority }: ListConditions,
): boolean {
  return (statuses === undefined || statuses.includes(status)) &&
    (types === undefined || matchesType(type, types)) &&
    (tag === undefined || tags?.includes(tag) === true) &&
    (priority === undefined || actual === priority);
}

/**
 * Compares tasks by `createdAt` and then `id`, both descending: the order of every list. Ids are ASCII,
 * so stores that compare bytes have the same order.
 */
export function compareNewestFirst(a: ListKey, b: ListKey): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
