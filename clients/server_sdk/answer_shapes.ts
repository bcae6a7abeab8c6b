// The shapes of the server's answers. An answer of another shape comes from an intermediary, and the
// request is retried.
import type { IsOurs } from "@taskcast/client/http";
import { isObject } from "@taskcast/client/http";

/** Returns whether an answer is a task. Newer servers may have other statuses, so any is accepted. */
export const isTask: IsOurs = ({ id, status }) => isText(id) && isText(status);

/** Returns a check for the task with an id. */
export function isTaskOf(taskId: string): IsOurs {
  return (task) => isTask(task) && task.id === taskId;
}

/** Returns a check for the task with an id, with the position of its log. */
export function isDetailOf(taskId: string): IsOurs {
  return (task) => isTaskOf(taskId)(task) && Number.isInteger(task.lastIndex);
}

/** Returns whether an answer is a page of tasks. */
export const isTaskPage: IsOurs = ({ tasks, nextCursor }) =>
  Array.isArray(tasks) && tasks.every(isTask) && (nextCursor === undefined || isText(nextCursor));

/** Returns whether an answer is a list of events. */
export const isEvents: IsOurs = (events) => Array.isArray(events) && events.every(isEvent);

/** Returns a check for a number of events. */
export function isEventsOf(count: number): IsOurs {
  return (events) => isEvents(events) && events.length === count;
}

/** Returns whether an answer is the outcome of a deletion; no body if everything was deleted. */
export const isDeletion: IsOurs = (answer) => answer === undefined || isText(answer.deletion);

/** Returns whether an answer is a ticket. */
export const isTicket: IsOurs = ({ ticket }) => isText(ticket);

/** Returns whether an answer is the request of a blocked task. */
export const isBlockedRequest: IsOurs = ({ type }) => isText(type);

/** Returns whether an answer is a receipt. The publisher checks its numbers. */
export const isReceipt: IsOurs = (receipt) => isObject(receipt) && "published" in receipt;

function isEvent(event: unknown): boolean {
  return isObject(event) && Number.isInteger(event.index) && isText(event.type);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
