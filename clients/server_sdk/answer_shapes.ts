// The shapes of the server's answers. Answers of intermediaries differ from them, and are retried.
import type { IsOurs } from "@taskcast/client/http";
import { isObject } from "@taskcast/client/http";

/** A task. Its status is not compared with a list: a newer server may have more. */
export const isTask: IsOurs = ({ id, status }) => isText(id) && isText(status);

/** The task with this id. */
export function isTaskOf(taskId: string): IsOurs {
  return (task) => isTask(task) && task.id === taskId;
}

/** The task with this id, and the position of its log. */
export function isDetailOf(taskId: string): IsOurs {
  return (task) => isTaskOf(taskId)(task) && Number.isInteger(task.lastIndex);
}

/** A page of tasks. */
export const isTaskPage: IsOurs = ({ tasks, nextCursor }) =>
  Array.isArray(tasks) && tasks.every(isTask) && (nextCursor === undefined || isText(nextCursor));

/** Events. */
export const isEvents: IsOurs = (events) => Array.isArray(events) && events.every(isEvent);

/** This number of events. */
export function isEventsOf(count: number): IsOurs {
  return (events) => isEvents(events) && events.length === count;
}

/** Outcome of a deletion; no body if everything was deleted. */
export const isDeletion: IsOurs = (answer) => answer === undefined || isText(answer.deletion);

/** A ticket. */
export const isTicket: IsOurs = ({ ticket }) => isText(ticket);

/** Request of a blocked task. */
export const isBlockedRequest: IsOurs = ({ type }) => isText(type);

/** A receipt. Its numbers are checked by the publisher. */
export const isReceipt: IsOurs = (receipt) => isObject(receipt) && "published" in receipt;

function isEvent(event: unknown): boolean {
  return isObject(event) && Number.isInteger(event.index) && isText(event.type);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
