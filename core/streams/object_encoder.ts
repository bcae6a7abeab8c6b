import type { TaskEvent } from "../protocol/event.ts";
import type { DoneReason, ResumeKind } from "../protocol/stream.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { toTaskEvent } from "../domain/event_json.ts";
import type { EventFrame, FrameEncoder } from "./frames.ts";

/** What a subscription yields: the opening, each event, the end. */
export type StreamMessage =
  | {
    kind: "open";
    /** The task. */
    taskId: string;
    /** Its state as the subscription began. */
    status: TaskStatus;
    /** How the cursor was taken. */
    resume: ResumeKind;
    /** Index of the newest event then, -1 when there is none. */
    head: number;
    /** Drop what you have of the task; see `OpenMessage`. */
    reset?: true;
  }
  | {
    kind: "event";
    /** The event, or a snapshot of its series. */
    event: TaskEvent;
    /** Its position among the events that match the filter. */
    filteredIndex: number;
    /** Go on after it with `since: { id: cursor }`. Left out on a stream of all tasks. */
    cursor?: string;
  }
  | {
    kind: "done";
    /** Why there will be nothing more. */
    reason: DoneReason;
    /** Says that the end was seen. */
    cursor: string;
  };

/** Frames as objects, for subscribers in the same process. */
export const objectEncoder: FrameEncoder<StreamMessage[]> = {
  key: "object",
  open: (message) => [{ kind: "open", ...message }],
  heartbeat: () => undefined,
  done: ({ reason }, cursor) => [{ kind: "done", reason, cursor }],
  buffer() {
    const messages: StreamMessage[] = [];
    let bytes = 0;
    return {
      get end() {
        return messages.length;
      },
      get bytes() {
        return bytes;
      },
      append({ taskId, event, filteredIndex, cursor }: EventFrame) {
        bytes += 2 * event.data.length + 300;
        messages.push({
          kind: "event",
          // Each subscriber gets these objects; they are frozen so that none can change another's.
          event: freeze(toTaskEvent(taskId, event)),
          filteredIndex,
          cursor,
        });
      },
      slice: (start) => messages.slice(start),
    };
  },
};

/** Freezes a value of JSON, and all that is in it. No lists of members are made: it is on each event's way. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) value.forEach((member) => freeze(member));
  else {
    for (const key in value) {
      const member = value[key];
      if (typeof member === "object") freeze(member);
    }
  }
  return Object.freeze(value);
}
