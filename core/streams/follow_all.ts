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

/** What a reader of all tasks asked for. */
export interface FollowAllQuery {
  /** Only events that match. */
  filter: EventFilter;
  /** Only tasks for which this holds. Asked of each life of a task, again if it was quiet for long. */
  visible: (record: TaskRecord) => boolean;
}

/** Where a reader stands in one task. */
interface TaskPosition {
  incarnation: string;
  createdAt: number;
  through: number;
  /** The entropy of the event there, where it is known. */
  entropy?: number;
  /** Matching events through there. */
  count: number;
  /** Polls since the task's end was sent. */
  endedPolls?: number;
}

/**
 * How long the place in an ended task is kept, in polls: a late or doubled wake-up must not be
 * taken for news.
 */
const KEEP_ENDED_POLLS = 12;

/** Tasks listed at a time when new ones are looked for, and how far clocks may be apart. */
const LIST_PAGE = 100;
const CLOCK_SKEW_MS = 30_000;

/**
 * One reader of all tasks, those created later too: live from the moment it connects.
 *
 * A reader is a position in each task that it may see and that had events since; wake-ups only mark
 * tasks as worth a look. So it, too, may be as slow as it likes: what it costs is an entry for each of
 * these as long as it lives, and for others that had events lately.
 *
 * Of a task whose log turns out not to be the one that was read, since the store was restored to an
 * earlier state, it is told by an opening that says `expired`, and then everything that is left.
 */
export function followAll<Chunk>(
  context: EngineContext,
  tails: Tails,
  query: FollowAllQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): ChunkSource<Chunk> {
  const reader = listed(context, tails, query, encoder, control);
  return chunksOf(reader, {
    close: () => control.close(),
    report: (error) => context.report(error, { operation: "subscription of all tasks" }),
  });
}

/** Lists the stream as open for as long as it is read. */
async function* listed<Chunk>(
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
  impatient: EngineContext,
  tails: Tails,
  query: FollowAllQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): AsyncGenerator<Chunk, void> {
  const context = { ...impatient, reader: new RetryingReader(impatient, control) };
  const { broadcast, clock, options } = context;
  const sinceMs = clock.now();
  /** All tasks that were created earlier have been heard of, or seen in a list. */
  let newSinceMs = sinceMs;
  const places = new Map<string, TaskPosition>();
  const hidden = new HiddenTasks();
  /** Tasks worth a look, and the lowest index that was heard of. */
  const dirty = new Map<string, number>();

  const unsubscribe = await broadcast.subscribe({ all: true }, (signal: Signal) => {
    if (hidden.covers(signal)) return;
    dirty.set(signal.taskId, Math.min(signal.from, dirty.get(signal.taskId) ?? Infinity));
    control.wake?.();
  });
  const stopPolling = tails.onPoll(() => {
    findNew = true;
    hidden.poll(newSinceMs);
    for (const [taskId, place] of places) {
      if (place.endedPolls === undefined) dirty.set(taskId, dirty.get(taskId) ?? Infinity);
      else if (++place.endedPolls > KEEP_ENDED_POLLS && place.createdAt < newSinceMs) {
        places.delete(taskId);
      }
    }
    control.wake?.();
  });
  // Wake-ups can be lost, also the only one of a task that is new.
  let findNew = false;
  let beatDue = false;
  let beatTimer: unknown;
  const beat = () => {
    beatTimer = clock.setTimeout(beat, options.heartbeatMs);
    beatDue = true;
    control.wake?.();
  };
  beatTimer = clock.setTimeout(beat, options.heartbeatMs);

  try {
    // Says that the subscription is live, before anything happens.
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
      } else if (beatDue) {
        beatDue = false;
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
    clock.clearTimeout(beatTimer);
    stopPolling();
    await unsubscribe();
  }

  async function* read(taskId: string, from: number): AsyncGenerator<Chunk, void> {
    for (;;) {
      const place = await placeOf(taskId, from);
      if (place === undefined) return;
      const page = await context.reader.readLog(taskId, {
        after: place.through,
        afterEntropy: place.entropy,
        limit: options.pageSize,
        filter: query.filter,
      });
      if (page === undefined || page.incarnation !== place.incarnation) {
        places.delete(taskId); // Deleted meanwhile, and perhaps created again.
        if (page === undefined) return;
        from = 0;
        continue;
      }
      if (isLost(page, place.through)) {
        yield* readAnew(taskId, place);
        return;
      }
      const buffer = encoder.buffer();
      const ranks = await countBeforePage(context.reader, taskId, query.filter, page, place.count);
      page.events.forEach((event, i) => {
        buffer.append({ taskId, event, filteredIndex: ranks[i]! });
        place.count = ranks[i]! + 1;
      });
      const oldest = page.events[0];
      if (oldest !== undefined) {
        context.observers.tell("onDelivery", Math.max(0, clock.now() - oldest.timestamp));
      }
      place.through = page.scannedTo;
      place.entropy = page.entropy;
      const end = place.through >= page.length - 1;
      if (end && isTerminal(page.status)) place.endedPolls ??= 0;
      if (buffer.end > 0) yield buffer.slice(0);
      if (end || control.closed) return;
    }
  }

  /** Everything that a log has which took the place of the one that was read. */
  async function* readAnew(taskId: string, place: TaskPosition): AsyncGenerator<Chunk, void> {
    const { incarnation } = place;
    const { filter } = query;
    while (!control.closed) {
      const head = await context.reader.getTask(taskId);
      if (head?.record.incarnation !== incarnation) return void places.delete(taskId);
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
          places.set(taskId, { ...place, through, entropy, count: count!, endedPolls: undefined });
        }
        dirty.set(taskId, length); // What came while this was read.
        return;
      } catch (error) {
        if (!(error instanceof Diverged)) throw error; // Once more, if it goes on like that.
      }
    }
  }

  /**
   * Marks tasks that were created since the reader came and of which nothing was heard; also under an
   * id of which something was heard before.
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
        const isKnown = places.get(id)?.incarnation === incarnation || hidden.has(id, incarnation);
        if (!isKnown) dirty.set(id, 0);
        after = { createdAt, id };
      }
      if (!more) break;
    }
    newSinceMs = nextSinceMs();
  }

  /** Clocks of other instances may be behind, and a list may be a moment old. */
  function nextSinceMs(): number {
    return Math.max(sinceMs, clock.now() - CLOCK_SKEW_MS);
  }

  async function placeOf(taskId: string, from: number): Promise<TaskPosition | undefined> {
    const known = places.get(taskId);
    if (known !== undefined) return known;
    const head = await context.reader.getTask(taskId);
    if (head === undefined) return undefined;
    const { record } = head;
    if (!query.visible(record)) {
      hidden.add(record);
      return undefined;
    }
    hidden.delete(taskId);
    if (from >= head.length) return undefined; // A poll's mark, or the log of an earlier life.
    // Wake-ups can be lost: what was created after the reader came is read from its first event.
    const start = record.task.createdAt >= sinceMs ? 0 : from;
    const place: TaskPosition = {
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
    places.set(taskId, place);
    return place;
  }
}
