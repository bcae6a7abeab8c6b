import type { TaskEvent } from "../protocol/event.ts";
import type { DoneReason, ResumeKind } from "../protocol/stream.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { toTaskEvent } from "../domain/event_json.ts";
import type { EventFrame, FrameEncoder } from "./frames.ts";

/** A message of a subscription: the opening, an event, or the end. */
export type StreamMessage =
  | {
    kind: "open";
    /** The task. */
    taskId: string;
    /** Its status when the subscription began. */
    status: TaskStatus;
    /** How the subscription continues from the given position. */
    resume: ResumeKind;
    /** Index of the newest event at that time; -1 if there is none. */
    head: number;
    /** Set if the subscriber must drop what it has of the task; see `OpenMessage`. */
    reset?: true;
  }
  | {
    kind: "event";
    /** The event, or a snapshot of its series. */
    event: TaskEvent;
    /** Its position among the events that match the filter. */
    filteredIndex: number;
    /** The cursor after the event; resume with `since: { id: cursor }`. Left out on a stream of all tasks. */
    cursor?: string;
  }
  | {
    kind: "done";
    /** The reason for the end. */
    reason: DoneReason;
    /** The cursor of the end: a subscriber that has it has seen everything. */
    cursor: string;
  };

/** Encodes frames as objects, for subscribers in the same process. */
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
          // All subscribers share these objects, so they are frozen.
          event: freeze(toTaskEvent(taskId, event)),
          filteredIndex,
          cursor,
        });
      },
      slice: (start) => messages.slice(start),
    };
  },
};

/** Deep-freezes a JSON value. It allocates no lists of members, because it runs for each event. */
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
