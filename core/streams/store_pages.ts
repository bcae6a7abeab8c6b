import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import { Diverged, isLost } from "../context/diverged.ts";
import { TaskGone } from "../context/task_gone.ts";
import { isTerminal } from "../protocol/status.ts";
import { indexOfLastN } from "../readers/index_of_last_n.ts";
import type { LogPosition } from "./log_position.ts";
import { cursorAt } from "./log_position.ts";
import type { ReaderState } from "./reader_state.ts";
import type { CollapsedPage } from "./replay/collapse.ts";
import { collapse } from "./replay/collapse.ts";
import type { Tail } from "./tail.ts";

// Reads that serve one reader, as chunks. Each moves the reader's position past what it returned.

/** A collapsed page, encoded once for all readers at the same position. */
export interface Batch<Chunk> extends LogPosition {
  /** Left out if nothing matches. */
  chunk?: Chunk;
  /** Set if the reader then has everything through the position; otherwise its cursor is partial. */
  isWhole: boolean;
}

/** Reads what precedes the live part, unless the log itself is to be read from the start position. */
export async function* replay<Chunk>(state: ReaderState<Chunk>): AsyncGenerator<Chunk, void> {
  const { start, filter, seriesFormat, limit } = state.query;
  if (start.collapse || seriesFormat === "accumulated") {
    yield* collapsedPages(state, undefined, limit);
    return;
  }
  const { options: { pageSize } } = state.context;
  const { taskId, after, length } = start;
  if (limit !== undefined) {
    const part = { taskId, filter, after, through: length - 1, pageSize, standalone: false };
    const through = await indexOfLastN(state.store, part, limit);
    if (through !== after) state.moveTo({ through });
  }
  await state.moveAndCount(state.position);
}

/** Reads a collapsed replay from the position to the end of the log. */
export async function* collapsedPages<Chunk>(
  state: ReaderState<Chunk>,
  tail: Tail | undefined,
  last?: number,
): AsyncGenerator<Chunk, void> {
  let end: LogPosition | undefined;
  const known = tail?.through ?? -1;
  for await (const { frames, through, entropy } of collapseFrom(state, state.store, last)) {
    const buffer = state.encoder.buffer();
    for (const frame of frames) buffer.append(frame);
    if (buffer.end > 0) yield buffer.slice(0);
    if (state.control.closed) return;
    if (through !== undefined) end = { through, entropy };
  }
  if (end === undefined) throw new TaskGone();
  if (end.through < known) tail?.markDiverged();
  await state.moveAndCount(end);
}

/** Reads the first page of a collapsed replay, which is usually all of it. Does not move the position. */
export async function collapsedBatch<Chunk>(
  state: ReaderState<Chunk>,
  tail: Tail,
): Promise<Batch<Chunk>> {
  for await (
    const { frames, position, entropy, through } of collapseFrom(state, tail.sharedReader)
  ) {
    const buffer = state.encoder.buffer();
    for (const frame of frames) buffer.append(frame);
    const batch = { through: position, entropy, isWhole: through !== undefined };
    return buffer.end > 0 ? { chunk: buffer.slice(0), ...batch } : batch;
  }
  throw new TaskGone();
}

/** Reads one page of the log for a reader that has fallen behind the tail. */
export async function* logPage<Chunk>(
  state: ReaderState<Chunk>,
  tail: Tail,
): AsyncGenerator<Chunk, void> {
  const { position, query: { start: { taskId, incarnation }, filter } } = state;
  const { options, observers } = state.context;
  const known = tail.through;
  const page = await state.store.readLog(taskId, {
    after: position.through,
    afterEntropy: position.entropy,
    limit: options.pageSize,
    filter,
  });
  if (page === undefined || page.incarnation !== incarnation) throw new TaskGone();
  if (isLost(page, position.through)) throw new Diverged();
  // The tail had read more before this read began, so the store has lost events since.
  if (page.length <= known) tail.markDiverged();
  if (await isTrimmed(state, page)) {
    // Some events of a series may be missing, and filtered indexes are no longer consecutive.
    yield* collapsedPages(state, tail);
    return;
  }
  observers.notify("onLaggingRead", page.events.length);
  const buffer = state.encoder.buffer();
  for (const event of page.events) {
    const { index: through, entropy } = event;
    const cursor = cursorAt("exact", incarnation, { through, entropy });
    buffer.append({ taskId, event, filteredIndex: position.count++, cursor });
  }
  state.moveTo({ through: page.scannedTo, entropy: page.entropy });
  if (buffer.end > 0) yield buffer.slice(0);
}

/** Returns whether events after the position were trimmed from the log. */
async function isTrimmed<Chunk>(
  { store, position: { through }, query }: ReaderState<Chunk>,
  { events, scannedTo, status }: LogPage,
): Promise<boolean> {
  if (!isTerminal(status) || events.length === scannedTo - through) return false;
  const head = await store.getTask(query.start.taskId);
  return (head?.trimmedThrough ?? -1) > through;
}

function collapseFrom<Chunk>(
  state: ReaderState<Chunk>,
  store: TaskReader,
  last?: number,
): AsyncGenerator<CollapsedPage, void> {
  const { start: { taskId, incarnation }, filter, seriesFormat } = state.query;
  const { options: { pageSize, pageBytes } } = state.context;
  const { through: after, entropy } = state.position;
  return collapse(store, {
    taskId,
    incarnation,
    after,
    entropy,
    filter,
    last,
    whole: seriesFormat === "accumulated",
    pageSize,
    pageBytes,
  });
}
