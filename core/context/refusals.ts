import type { Refusal } from "../contracts/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { needsDelta } from "../domain/validate/event.ts";

/** Returns the error that tells the caller why a store refused a commit. */
export function refusalError(taskId: string, refusal: Refusal): TaskcastError {
  const error = (
    code: TaskcastError["code"],
    message: string,
    details: Record<string, unknown> = {},
  ) => new TaskcastError(code, message, { details: { taskId, ...details } });
  switch (refusal.code) {
    case "ABSENT":
      return taskNotFound(taskId);
    case "EXISTS":
      return error(
        "TASK_EXISTS",
        `Cannot create task "${taskId}": a task with this id exists; leave the id out for a new one`,
      );
    case "REPLACED":
      return taskReplaced(taskId);
    case "CONFLICT":
      return error("INVALID_TRANSITION", `Cannot change task "${taskId}": it changed meanwhile`);
    case "TERMINAL":
      return error(
        "TASK_TERMINAL",
        `Cannot publish to task "${taskId}": it is "${refusal.status}", and nothing can follow that`,
        { status: refusal.status },
      );
    case "LEASE_LOST":
      return error(
        "LEASE_LOST",
        `Cannot publish to task "${taskId}": the lease has ended; stop, or take a new one`,
      );
    case "NOT_DUE":
      return error("INVALID_TRANSITION", `Cannot change task "${taskId}": its lease was renewed`);
    case "SERIES_CONFLICT": {
      const name = JSON.stringify(refusal.accField);
      const [field, remedy] = refusal.accField === undefined
        ? ["", ""]
        : [` of the field ${name}`, ` and send seriesAccField ${name}`];
      return error(
        "SERIES_CONFLICT",
        `Cannot publish to task "${taskId}": the event's series began as "${refusal.mode}"${field} ` +
          `and keeps that; leave seriesMode out${remedy}, or take another seriesId`,
        { at: refusal.at, mode: refusal.mode, accField: refusal.accField },
      );
    }
    case "NO_DELTA":
      return error(
        "INVALID_INPUT",
        `Cannot publish to task "${taskId}": "seriesAccField" ${needsDelta(refusal.accField)}; ` +
          "the event's series accumulates",
        { at: refusal.at, path: "seriesAccField" },
      );
    case "SEQUENCE_GAP":
      return error(
        "SEQUENCE_GAP",
        `Cannot publish to task "${taskId}": events before this one are missing; ` +
          `send producerSeq ${refusal.expected} next`,
        { at: refusal.at, expected: refusal.expected },
      );
    case "PRODUCER_FENCED":
      return error(
        "PRODUCER_FENCED",
        `Cannot publish to task "${taskId}": a producer with the higher epoch ${refusal.epoch} ` +
          "took over; stop, or start again with a higher one",
        { at: refusal.at, epoch: refusal.epoch },
      );
    case "TASK_FULL":
      return error(
        "TASK_FULL",
        `Cannot publish to task "${taskId}": its log is at its limit; end it, or go on in another task`,
      );
    case "STORE_FULL":
      return error(
        "STORE_FULL",
        `Cannot write to task "${taskId}": the store is full; end or delete tasks, or give it more memory`,
      );
  }
}

/** Returns a `TASK_NOT_FOUND` error. */
export function taskNotFound(taskId: string): TaskcastError {
  return new TaskcastError("TASK_NOT_FOUND", `Task "${taskId}" does not exist`, {
    details: { taskId },
  });
}

/** Returns the `TASK_NOT_FOUND` error for a task whose id a newer task has. */
export function taskReplaced(taskId: string): TaskcastError {
  return new TaskcastError(
    "TASK_NOT_FOUND",
    `Task "${taskId}" was deleted, and another one has its id now`,
    { details: { taskId, replaced: true } },
  );
}

/** Returns whether an error is that of {@linkcode taskReplaced}. */
export function isTaskReplaced(error: unknown): boolean {
  return error instanceof TaskcastError && error.code === "TASK_NOT_FOUND" &&
    error.details?.replaced === true;
}

/** Returns an `INVALID_CURSOR` error. */
export function invalidCursor(problem: string): TaskcastError {
  return new TaskcastError(
    "INVALID_CURSOR",
    `Cannot go on from this cursor: ${problem}; connect without a cursor to start over`,
  );
}
