import type {
  EventEnvelope,
  EventFilter,
  OpenMessage,
  TaskcastClient,
  TaskStream,
} from "@taskcast/client";
import type { Task } from "@taskcast/core/protocol";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import { DEFAULT_MAX_EVENTS, EventList } from "./event_list.ts";
import { inNextFrame } from "./frames.ts";
import type { StreamState } from "./stream_state.ts";
import {
  CONNECTING,
  done,
  errorOf,
  FAILURES_UNTIL_ERROR,
  IDLE,
  OPEN,
  reconnecting,
  refused,
} from "./stream_state.ts";
import { TaskRecord } from "./task_record.ts";

/** Result of `useTaskEvents`. */
export interface TaskEvents extends StreamState {
  /**
   * The newest matching events, oldest first. A snapshot of a series (`seriesSnapshot`) replaces
   * the kept events of the series; any other event of an accumulate series is appended.
   */
  readonly events: readonly EventEnvelope[];
  /** Number of events that are no longer kept because of `maxEvents`. */
  readonly dropped: number;
}

/** A task and its connection state. */
export interface TaskState extends StreamState {
  /** The task; `undefined` until it was read. After a deletion, its last known record. */
  readonly task: Task | undefined;
}

const NO_EVENTS = { events: [], dropped: 0 } as const;

/** View of hooks that follow nothing. */
export const IDLE_VIEW: TaskView = viewOf(IDLE);
/** View before anything has arrived, and while rendering on a server. */
export const PENDING_VIEW: TaskView = viewOf(CONNECTING);

function viewOf(state: StreamState): TaskView {
  const events: TaskEvents = { ...state, ...NO_EVENTS };
  const task: TaskState = { ...state, task: undefined };
  return { events, task, text: () => "" };
}

/** What hooks show of a task. Each part stays the same object until its content changes. */
export interface TaskView {
  readonly events: TaskEvents;
  readonly task: TaskState;
  text(seriesId: string): string;
}

/** A hook that shows a task, and the parts that it shows. */
export interface Watcher {
  /** Called at most once per frame, when anything has changed. */
  onChange: () => void;
  /** Number of events that it shows. */
  maxEvents?: number;
  /** Series whose text it shows. */
  seriesId?: string;
  /** Set if it shows the task's record. */
  wantsTask?: boolean;
}

/**
 * Follows one task over one connection for any number of hooks. Adding an event takes time in
 * proportion to the event; the view is updated once per frame.
 */
export class TaskStore implements TaskView {
  readonly #stop = new AbortController();
  readonly #stream: TaskStream;
  readonly #record: TaskRecord;
  readonly #watchers = new Set<Watcher>();
  readonly #list = new EventList(DEFAULT_MAX_EVENTS);
  #state = CONNECTING;
  #recordWanted = false;
  #recordError?: Error;
  #failures = FAILURES_UNTIL_ERROR - 1; // Before the first connection, every failure is shown.
  #listChanged = false;
  #texts = new Map<string, string>();
  #cancelFrame?: () => void;
  events: TaskEvents = PENDING_VIEW.events;
  task: TaskState = PENDING_VIEW.task;

  /** Connects at once. */
  constructor(client: TaskcastClient, taskId: string, filter: EventFilter) {
    const { signal } = this.#stop;
    this.#record = new TaskRecord({
      client,
      taskId,
      signal,
      onChange: () => this.#changed(),
      onError: (error) => {
        this.#recordError = errorOf(error);
        this.#changed();
      },
    });
    this.#stream = client.stream(taskId, {
      filter,
      signal,
      onOpen: (message) => this.#opened(message),
      onReconnect: (problem, waitMs) =>
        this.#setState(reconnecting(problem, ++this.#failures, waitMs)),
    });
    void this.#follow(signal);
  }

  /** Set if the server refused for good. */
  get isRefused(): boolean {
    return this.#state.status === "error";
  }

  /** Returns the whole text of a series, as of the last frame. */
  text(seriesId: string): string {
    let text = this.#texts.get(seriesId);
    if (text === undefined) this.#texts.set(seriesId, text = this.#stream.text(seriesId));
    return text;
  }

  /** Adds a hook. @returns A function that removes it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    const { maxEvents = 0, wantsTask } = watcher;
    this.#list.growTo(maxEvents);
    if (wantsTask && !this.#recordWanted) {
      this.#recordWanted = true;
      this.#record.refresh();
    }
    return () => this.#watchers.delete(watcher);
  }

  /** Closes the connection. */
  close(): void {
    this.#stop.abort();
    this.#cancelFrame?.();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const event of this.#stream) this.#add(event);
      if (signal.aborted) return;
      this.#setState(done(this.#stream.reason!));
      // The filter may have excluded the event that ended the task.
      if (this.#recordWanted) this.#record.refresh();
    } catch (problem) {
      if (!signal.aborted) this.#setState(refused(problem));
    }
  }

  #opened({ reset }: OpenMessage): void {
    this.#failures = 0;
    if (reset) {
      this.#list.clear();
      this.#listChanged = true;
      this.#record.restart();
    }
    this.#setState(OPEN);
  }

  #add(event: EventEnvelope): void {
    this.#list.add(event);
    this.#listChanged = true;
    if (this.#recordWanted && event.type === SERVER_EVENT.status) {
      this.#record.apply(event);
    }
    this.#changed();
  }

  #setState(state: StreamState): void {
    this.#state = state;
    this.#changed();
  }

  #changed(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelFrame ??= inNextFrame(() => this.#show());
  }

  /** Updates the view with everything since the last frame. */
  #show(): void {
    this.#cancelFrame = undefined;
    const state = this.#state;
    if (this.#listChanged || !showsState(this.events, state)) {
      const events = this.#listChanged ? this.#list.newest() : this.events.events;
      this.events = { ...state, events, dropped: this.#list.dropped };
      this.#listChanged = false;
    }
    const { task } = this.#record;
    // After the end, a failed read is no error: the task may have been deleted.
    const error = state.error ?? (state.isDone ? undefined : this.#recordError);
    if (task !== this.task.task || !showsState(this.task, { ...state, error })) {
      this.task = { ...state, error, task };
    }
    const texts = new Map<string, string>();
    for (const { seriesId } of this.#watchers) {
      if (seriesId !== undefined) texts.set(seriesId, this.#stream.text(seriesId));
    }
    this.#texts = texts;
    for (const { onChange } of [...this.#watchers]) onChange();
  }
}

/** Returns whether a view already shows a state. */
function showsState(view: StreamState, { status, doneReason, error }: StreamState): boolean {
  return view.status === status && view.doneReason === doneReason && view.error === error;
}
