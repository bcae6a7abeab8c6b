import type {
  CreateTaskInput,
  DoneReason,
  EventInput,
  Task,
  TaskStatus,
  TransitionOptions,
} from "@taskcast/core/protocol";
import type { ChunkEvent } from "../chunks/chunk_reader.ts";

/** Publishes the events of one answer in order. Does not wait until each is stored. */
export interface EventSink {
  /** Aborts, with the reason, when nothing can be published any more. */
  readonly signal: AbortSignal;
  /**
   * Publishes an event. Resolves when there is room for more. Rejects after `signal` has aborted.
   */
  publish(event: EventInput): Promise<void>;
  /** Resolves when everything is stored. Rejects if `signal` aborts before that. */
  close(): Promise<void>;
}

/** Operations of Taskcast that a chat needs, local or remote. */
export interface ChatTasks {
  /** Creates a task. */
  create(input: CreateTaskInput): Promise<Task>;
  /** Reads a task, if it exists. */
  get(taskId: string): Promise<Task | undefined>;
  /** Returns a page of tasks, newest first. */
  list(
    query: { types: string[]; tag: string; status?: TaskStatus[]; limit: number; cursor?: string },
  ): Promise<{ tasks: Task[]; nextCursor?: string }>;
  /** Changes the status of a task. */
  transition(taskId: string, status: TaskStatus, options?: TransitionOptions): Promise<unknown>;
  /** Opens a task for publishing. */
  open(taskId: string): Promise<EventSink>;
  /**
   * Follows a task from its beginning.
   *
   * @returns The reason of the task's end; `undefined` if the stream ended before that.
   */
  follow(taskId: string, signal: AbortSignal): AsyncGenerator<ChunkEvent, DoneReason | undefined>;
}
