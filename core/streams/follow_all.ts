import type { Signal } from "../contracts/broadcast.ts";
import type { TaskRecord } from "../contracts/records.ts";
import type { EventFilter } from "../protocol/event.ts";
import { isTerminal } from "../protocol/status.ts";
import { matchesEverything } from "../domain/filter.ts";
import type { ChunkSource } from "./chunk_source.ts";
import { chunksOf } from "./chunk_source.ts";
import { collapse } from "./replay/collapse.ts";
import type { EngineContext } from "../context/context.ts";
import { Diverged, isLost } from "../context/diverged.ts";
import type { FrameEncoder } from "./frames.ts";
import { HiddenTasks } from "./hidden_tasks.ts";
import { Cancelled, RetryingReader } from "../readers/retrying_reader.ts";
import { countBeforeEach, countBeforePage } from "../readers/count_before.ts";
import type { StreamControl } from "./stream_control.ts";
import type { Tails } from "./tails.ts";

/** The query of a subscription to all tasks. */
export interface FollowAllQuery {
  /** Delivers only matching events. */
  filter: EventFilter;
  /** Returns whether to deliver a task. Called once per incarnation, and again after a long quiet time. */
  visible: (record: TaskRecord) => boolean;
}

/** A reader's position in one task. */
interface TaskPosition {
  incarnation: string;
  createdAt: number;
  through: number;
  /** The entropy of the event at `through`, if known. */
  entropy?: number;
  /** Number of matching events through the position. */
  count: number;
  /** Polls since the task's end was sent. */
  endedPolls?: number;
}

/**
 * Polls for which the position in an ended task is kept, so that a late or duplicate wake-up is not
 * mistaken for new events.
 */
const KEEP_ENDED_POLLS = 12;

/** Number of tasks listed at a time to find new ones. */
const LIST_PAGE = 100;

/** Maximum difference assumed between the clocks of two instances. */
const CLOCK_SKEW_MS = 30_000;

/**
 * Subscribes to all tasks, including those created later, live from the moment the reader connects.
 *
 * A reader has a position in each visible task that had events since, and wake-ups only mark tasks as
 * dirty. A slow reader is therefore cheap: it costs one entry for each of these tasks while it is
 * connected, and one for each hidden task that was recently active.
 *
 * If the log of a task turns out to be a different one, because the store was restored to an earlier
 * state, the reader gets an opening with `expired` and then everything that is left.
 */
export function followAll<Chunk>(
  context: EngineContext,
  tails: Tails,
  query: FollowAllQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): ChunkSource<Chunk> {
  const chunks = trackedChunks(context, tails, query, encoder, control);
  return chunksOf(chunks, {
    close: () => control.close(),
    report: (error) => context.report(error, { operation: "subscription of all tasks" }),
  });
}

/** Keeps the stream in the list of open streams for as long as it is read. */
async function* trackedChunks<Chunk>(
  context: EngineContext,
  tails: Tails,
  query: FollowAllQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): AsyncGenerator<Chunk, void> {
  control.markStarted();
  try {
    yield* followTasks(context, tails, query, encoder, control);
  } finally {
    control.markEnded();
  }
}

async function* followTasks<Chunk>(
  engineContext: EngineContext,
  tails: Tails,
  query: FollowAllQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): AsyncGenerator<Chunk, void> {
  const context = { ...engineContext, reader: new RetryingReader(engineContext, control) };
  const { broadcast, clock, options } = context;
  const sinceMs = clock.now();
  /** All tasks created before this time are known, from a wake-up or a list. */
  let newSinceMs = sinceMs;
  const positions = new Map<string, TaskPosition>();
  const hidden = new HiddenTasks();
  /** Tasks that may have new events, with the lowest index that a wake-up named. */
  const dirty = new Map<string, number>();

  const unsubscribe = await broadcast.subscribe({ all: true }, (signal: Signal) => {
    // Channels that belong to no task.
    if (signal.taskId.startsWith("@") || hidden.covers(signal)) return;
    dirty.set(signal.taskId, Math.min(signal.from, dirty.get(signal.taskId) ?? Infinity));
    control.wake?.();
  });
  const stopPolling = tails.onPoll(() => {
    findNew = true;
    hidden.poll(newSinceMs);
    for (const [taskId, position] of positions) {
      if (position.endedPolls === undefined) dirty.set(taskId, dirty.get(taskId) ?? Infinity);
      else if (++position.endedPolls > KEEP_ENDED_POLLS && position.createdAt < newSinceMs) {
        positions.delete(taskId);
      }
    }
    control.wake?.();
  });
  // Wake-ups can be lost, including the only one of a new task.
  let findNew = false;
  let isHeartbeatDue = false;
  let heartbeatTimer: unknown;
  const heartbeat = () => {
    heartbeatTimer = clock.setTimeout(heartbeat, options.heartbeatMs);
    isHeartbeatDue = true;
    control.wake?.();
  };
  heartbeatTimer = clock.setTimeout(heartbeat, options.heartbeatMs);

  try {
    // Tells the reader that the subscription is live.
    const hello = encoder.heartbeat();
    if (hello !== undefined) yield hello;
    while (!control.closed) {
      const [next] = dirty;
      if (next !== undefined) {
        const [taskId, from] = next;
        dirty.delete(taskId);
        yield* read(taskId, from);
      } else if (findNew) {
        findNew = false;
        await markNew();
      } else if (isHeartbeatDue) {
        isHeartbeatDue = false;
        const chunk = encoder.heartbeat();
        if (chunk !== undefined) yield chunk;
      } else {
        await new Promise<unknown>((resolve) => control.wake = resolve);
        control.wake = undefined;
      }
    }
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
  } finally {
    clock.clearTimeout(heartbeatTimer);
    stopPolling();
    await unsubscribe();
  }

  async function* read(taskId: string, from: number): AsyncGenerator<Chunk, void> {
    for (;;) {
      const position = await positionIn(taskId, from);
      if (position === undefined) return;
      const page = await context.reader.readLog(taskId, {
        after: position.through,
        afterEntropy: position.entropy,
        limit: options.pageSize,
        filter: query.filter,
      });
      if (page === undefined || page.incarnation !== position.incarnation) {
        positions.delete(taskId); // Deleted meanwhile, and perhaps created again.
        if (page === undefined) return;
        from = 0;
        continue;
      }
      if (isLost(page, position.through)) {
        yield* restartTask(taskId, position);
        return;
      }
      const buffer = encoder.buffer();
      const { reader } = context;
      const ranks = await countBeforePage(reader, taskId, query.filter, page, position.count);
      page.events.forEach((event, i) => {
        buffer.append({ taskId, event, filteredIndex: ranks[i]! });
        position.count = ranks[i]! + 1;
      });
      const oldest = page.events[0];
      if (oldest !== undefined) {
        context.observers.notify("onDelivery", Math.max(0, clock.now() - oldest.timestamp));
      }
      position.through = page.scannedTo;
      position.entropy = page.entropy;
      const isEnd = position.through >= page.length - 1;
      if (isEnd && isTerminal(page.status)) position.endedPolls ??= 0;
      if (buffer.end > 0) yield buffer.slice(0);
      if (isEnd || control.closed) return;
    }
  }

  /** Sends everything in a log that replaced the one that was read. */
  async function* restartTask(
    taskId: string,
    position: TaskPosition,
  ): AsyncGenerator<Chunk, void> {
    const { incarnation } = position;
    const { filter } = query;
    while (!control.closed) {
      const head = await context.reader.getTask(taskId);
      if (head?.record.incarnation !== incarnation) return void positions.delete(taskId);
      const { record: { task: { status } }, length } = head;
      yield encoder.open({ taskId, status, resume: "expired", head: length - 1, reset: true });
      const { pageSize, pageBytes } = options;
      const all = { taskId, incarnation, after: -1, filter, whole: false, pageSize, pageBytes };
      try {
        for await (const { frames, through, entropy } of collapse(context.reader, all)) {
          const buffer = encoder.buffer();
          for (const { event, filteredIndex } of frames) {
            buffer.append({ taskId, event, filteredIndex });
          }
          if (buffer.end > 0) yield buffer.slice(0);
          if (through === undefined) continue;
          const [count] = await countBeforeEach(
            context.reader,
            taskId,
            filter,
            [through + 1],
            incarnation,
          );
          positions.set(taskId, {
            ...position,
            through,
            entropy,
            count: count!,
            endedPolls: undefined,
          });
        }
        dirty.set(taskId, length); // Events may have arrived during the read.
        return;
      } catch (error) {
        if (!(error instanceof Diverged)) throw error; // Starts over if the log was replaced again.
      }
    }
  }

  /**
   * Marks tasks as dirty that were created since the reader connected and are not known, including new
   * incarnations of known ids.
   */
  async function markNew(): Promise<void> {
    let after: { createdAt: number; id: string } | undefined;
    for (;;) {
      const { tasks, more } = await context.reader.listTasks({ limit: LIST_PAGE, after });
      for (const { task: { id, createdAt }, incarnation } of tasks) {
        if (createdAt < newSinceMs) {
          newSinceMs = nextSinceMs();
          return;
        }
        const isKnown = positions.get(id)?.incarnation === incarnation ||
          hidden.has(id, incarnation);
        if (!isKnown) dirty.set(id, 0);
        after = { createdAt, id };
      }
      if (!more) break;
    }
    newSinceMs = nextSinceMs();
  }

  /** Allows for slow clocks of other instances, and for lists that are slightly old. */
  function nextSinceMs(): number {
    return Math.max(sinceMs, clock.now() - CLOCK_SKEW_MS);
  }

  async function positionIn(taskId: string, from: number): Promise<TaskPosition | undefined> {
    const known = positions.get(taskId);
    if (known !== undefined) return known;
    const head = await context.reader.getTask(taskId);
    if (head === undefined) return undefined;
    const { record } = head;
    if (!query.visible(record)) {
      hidden.add(record);
      return undefined;
    }
    hidden.delete(taskId);
    // Marked by a poll only, or the wake-up was about an earlier incarnation.
    if (from >= head.length) return undefined;
    // Wake-ups can be lost, so a task created after the reader connected is read from its first event.
    const start = record.task.createdAt >= sinceMs ? 0 : from;
    const position: TaskPosition = {
      incarnation: record.incarnation,
      createdAt: record.task.createdAt,
      through: start - 1,
      count: matchesEverything(query.filter) ? start : (await countBeforeEach(
        context.reader,
        taskId,
        query.filter,
        [start],
        record.incarnation,
      ))[0]!,
    };
    positions.set(taskId, position);
    return position;
  }
}
