import type {
  CreateTaskInput,
  DoneReason,
  EventInput,
  Task,
  TaskStatus,
  TransitionOptions,
} from "@taskcast/core/protocol";
import type { ChunkEvent } from "../chunks/chunk_reader.ts";

/** Takes the events of one answer, in order and without waiting for each to be stored. */
export interface EventSink {
  /** Aborts when nothing can be published any more; the reason is why. */
  readonly signal: AbortSignal;
  /** Takes an event; resolves when there is room for more. Rejects when `signal` has aborted. */
  publish(event: EventInput): Promise<void>;
  /** Resolves when everything is stored. Rejects when `signal` aborted before that. */
  close(): Promise<void>;
}

/** Operations of Taskcast that a chat needs, local or remote. */
export interface ChatTasks {
  /** Creates a task. */
  create(input: CreateTaskInput): Promise<Task>;
  /** A task, if there is one. */
  get(taskId: string): Promise<Task | undefined>;
  /** Tasks, newest first, a page at a time. */
  list(
    query: { types: string[]; tag: string; status?: TaskStatus[]; limit: number; cursor?: string },
  ): Promise<{ tasks: Task[]; nextCursor?: string }>;
  /** Moves a task to another state. */
  transition(taskId: string, status: TaskStatus, options?: TransitionOptions): Promise<unknown>;
  /** Opens a task for events. */
  open(taskId: string): Promise<EventSink>;
  /**
   * Follows a task from its beginning.
   *
   * @returns Why the task ended; `undefined` when the reading ended before that.
   */
  follow(taskId: string, signal: AbortSignal): AsyncGenerator<ChunkEvent, DoneReason | undefined>;
}
