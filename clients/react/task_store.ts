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
   * The newest events that match, oldest first. A snapshot of a series (`seriesSnapshot`) replaces
   * what was here of it; any other event of an accumulate series is appended.
   */
  readonly events: readonly EventEnvelope[];
  /** How many events were here and are no longer, because of `maxEvents`. */
  readonly dropped: number;
}

/** Result of `useTask`. */
export interface TaskState extends StreamState {
  /** The task; `undefined` until it was read. When it is deleted, the last that was known. */
  readonly task: Task | undefined;
}

const NO_EVENTS = { events: [], dropped: 0 } as const;

/** View while nothing is followed. */
export const IDLE_VIEW: TaskView = viewOf(IDLE);
/** View until something is known, and on servers. */
export const PENDING_VIEW: TaskView = viewOf(CONNECTING);

function viewOf(state: StreamState): TaskView {
  const events: TaskEvents = { ...state, ...NO_EVENTS };
  const task: TaskState = { ...state, task: undefined };
  return { events, task, text: () => "" };
}

/** View of a task for hooks. Each part stays the same object until its contents change. */
export interface TaskView {
  readonly events: TaskEvents;
  readonly task: TaskState;
  text(seriesId: string): string;
}

/** A hook that shows a task, and what of it. */
export interface Watcher {
  /** Called once a frame when anything has changed. */
  onChange: () => void;
  /** How many events it wants. */
  maxEvents?: number;
  /** The series whose text it wants. */
  seriesId?: string;
  /** It wants the record. */
  wantsTask?: boolean;
}

/**
 * One task over one connection, for any number of hooks. What comes in costs what it brings; once a
 * frame it is made into what hooks show.
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
  #failures = FAILURES_UNTIL_ERROR - 1; // Before the first connection each failure is told.
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

  /** True if the server refused for good. */
  get isRefused(): boolean {
    return this.#state.status === "error";
  }

  /** The whole text of a series, as of the last frame. */
  text(seriesId: string): string {
    let text = this.#texts.get(seriesId);
    if (text === undefined) this.#texts.set(seriesId, text = this.#stream.text(seriesId));
    return text;
  }

  /** @returns Ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    const { maxEvents = 0, wantsTask } = watcher;
    this.#list.growTo(maxEvents);
    if (wantsTask && !this.#recordWanted) {
      this.#recordWanted = true; // From now on, so that it is right whenever another hook wants it.
      this.#record.refresh();
    }
    return () => this.#watchers.delete(watcher);
  }

  /** Gives the connection up. */
  close(): void {
    this.#stop.abort();
    this.#cancelFrame?.();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const event of this.#stream) this.#take(event);
      if (signal.aborted) return;
      this.#setState(done(this.#stream.reason!));
      // The filter may leave out what would have told the record of the end.
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

  #take(event: EventEnvelope): void {
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

  /** Makes what came in since the last frame into what hooks show. */
  #show(): void {
    this.#cancelFrame = undefined;
    const state = this.#state;
    if (this.#listChanged || !says(this.events, state)) {
      const events = this.#listChanged ? this.#list.newest() : this.events.events;
      this.events = { ...state, events, dropped: this.#list.dropped };
      this.#listChanged = false;
    }
    const { task } = this.#record;
    // When a task is deleted its record is gone, which is no error.
    const error = state.error ?? (state.isDone ? undefined : this.#recordError);
    if (task !== this.task.task || !says(this.task, { ...state, error })) {
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

/** Returns true if an earlier view equals the current state. */
function says(view: StreamState, { status, doneReason, error }: StreamState): boolean {
  return view.status === status && view.doneReason === doneReason && view.error === error;
}
