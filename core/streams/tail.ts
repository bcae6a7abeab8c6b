import type { Signal, Unsubscribe } from "../contracts/broadcast.ts";
import type { StoredEvent } from "../contracts/records.ts";
import type { TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import type { DoneReason } from "../protocol/stream.ts";
import { isTerminal } from "../protocol/status.ts";
import { filterKey } from "../domain/filter.ts";
import type { EngineContext } from "../context/context.ts";
import { isLost } from "../context/diverged.ts";
import type { FrameEncoder } from "./frames.ts";
import type { Waiter } from "../readers/retrying_reader.ts";
import { RetryingReader } from "../readers/retrying_reader.ts";
import type { LogPosition } from "./log_position.ts";
import type { StreamControl, Wake } from "./stream_control.ts";
import { SharedFrames } from "./shared_frames.ts";
import { SharedBatches } from "./shared_batches.ts";
import { ReaderList } from "./waking/reader_list.ts";
import { WakeScheduler } from "./waking/wake_scheduler.ts";

const EVENT_OVERHEAD_BYTES = 200;

/** Share of the byte budget kept after trimming. */
const KEPT_SHARE = 0.75;

/**
 * The newest events of one task, read once for all of its readers on this instance.
 *
 * A wake-up only says that there may be more. The tail then continues reading from its position, but only
 * while a reader waits at its end. A slow reader cannot make it read ahead or exceed its bound.
 */
export class Tail {
  readonly taskId: string;
  readonly incarnation: string;
  readonly #context: EngineContext;
  readonly #frames = new Map<string, SharedFrames<never>>();
  /** Readers without shared frames; any change wakes them. */
  readonly #unframedReaders = new ReaderList();
  /** Recent events with consecutive indexes, newest last. */
  #ring: StoredEvent[] = [];
  #ringBytes = 0;
  /** The entropy of the event before the first one in the ring, if known. */
  #entropyBefore?: number;
  /** Start of the last read that found the end of the log; events after it are new. */
  #endSeenAtMs = Infinity;
  #through: number;
  #entropy?: number;
  #ending?: DoneReason;
  #hasDiverged = false;
  readonly #onDiverged: () => void;
  /** Set if the store may have more. Initially set, since events may have arrived before the tail listened. */
  #dirty = true;
  /** The newest read, and whether it still runs. The flag is needed as promises settle a turn late. */
  #advancing?: Promise<void>;
  #isAdvancing = false;
  #unsubscribe?: Unsubscribe;
  readonly #scheduler: WakeScheduler;
  #retryTimer?: unknown;
  #isClosed = false;
  /** Called after the next page has been read, or could not be. */
  #onPage: (() => void)[] = [];
  /** Number of readers. */
  readerCount = 0;
  /** Batches for readers that get series as a whole. */
  readonly batches: SharedBatches = new SharedBatches();
  readonly #sharedWaiter: Waiter;
  /** Reads what readers share. Retries for as long as there are readers. */
  readonly sharedReader: TaskReader;

  constructor(
    context: EngineContext,
    options: LogPosition & {
      taskId: string;
      incarnation: string;
      /** Called once, when the log turns out to be a different one. */
      onDiverged: () => void;
    },
  ) {
    this.#context = context;
    this.taskId = options.taskId;
    this.incarnation = options.incarnation;
    this.#through = options.through;
    this.#entropy = this.#entropyBefore = options.entropy;
    this.#onDiverged = options.onDiverged;
    this.#scheduler = new WakeScheduler(context.options.wakesPerTurn);
    const hasNoReaders = () => this.readerCount === 0 || this.#isClosed;
    this.#sharedWaiter = {
      get closed() {
        return hasNoReaders();
      },
    };
    this.sharedReader = new RetryingReader(context, this.#sharedWaiter, options.incarnation);
  }

  /** Everything through this index has been read. */
  get through(): number {
    return this.#through;
  }

  /** How the task ended, once everything through its end has been read. */
  get ending(): DoneReason | undefined {
    return this.#ending;
  }

  /**
   * Set if the store no longer has the log that this tail was read from, because it was restored to an
   * earlier state. The tail stops reading, and each reader must check its own position.
   */
  get hasDiverged(): boolean {
    return this.#hasDiverged;
  }

  /** Approximate bytes of the kept events. */
  get bytes(): number {
    return this.#ringBytes;
  }

  /** Approximate bytes of the encoded frames. */
  get frameBytes(): number {
    let bytes = 0;
    for (const frames of this.#frames.values()) bytes += frames.bytes;
    return bytes;
  }

  /** Subscribes to wake-ups. Resolves once the subscription is live. */
  async listen(): Promise<void> {
    this.#unsubscribe = await this.#context.broadcast.subscribe(
      { taskId: this.taskId },
      (signal: Signal) => {
        if (signal.ended || signal.length - 1 > this.#through) this.markDirty();
      },
    );
  }

  /** Stops listening. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#context.clock.clearTimeout(this.#retryTimer);
    this.#scheduler.close();
    this.#sharedWaiter.wake?.();
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = undefined;
    await unsubscribe?.();
  }

  /** Notes that the store may have more, and reads it if a reader waits. */
  markDirty(): void {
    this.#dirty = true;
    if (this.#hasWaitingReaders()) void this.#advance();
  }

  /** Returns the frames that a reader shares with others of the same filter and format. */
  framesFor<Chunk>(
    filter: EventFilter,
    encoder: FrameEncoder<Chunk>,
    start: LogPosition & { count: number },
  ): SharedFrames<Chunk> {
    const key = `${encoder.key} ${filterKey(filter)}`;
    let frames = this.#frames.get(key) as unknown as SharedFrames<Chunk> | undefined;
    if (frames === undefined) {
      frames = new SharedFrames<Chunk>(
        {
          taskId: this.taskId,
          incarnation: this.incarnation,
          filter,
          encoder,
          // All filters and formats of the task share the bound; each keeps at least one segment.
          maxBytes: () => this.#context.options.tailBytes / this.#frames.size,
        },
        start,
      );
      this.#frames.set(key, frames as unknown as SharedFrames<never>);
    }
    frames.readers++;
    return frames;
  }

  /** Removes a reader from the waiting list, and releases its shared frames. */
  leave(control: StreamControl, frames?: SharedFrames<never>): void {
    (frames?.waiters ?? this.#unframedReaders).delete(control);
    if (frames === undefined || --frames.readers > 0) return;
    for (const [key, value] of this.#frames) if (value === frames) this.#frames.delete(key);
  }

  /**
   * Encodes the ring's new events into shared frames.
   *
   * @param position A reader's position. If the ring no longer connects to the frames, they restart there.
   * @returns Whether the frames now reach {@linkcode Tail.through}.
   */
  sync<Chunk>(frames: SharedFrames<Chunk>, position?: LogPosition & { count: number }): boolean {
    if (frames.through === this.#through) return true;
    const oldest = this.#through - this.#ring.length; // Before the first event of the ring.
    if (frames.through < oldest) {
      if (position === undefined || position.through < oldest) return false;
      if (position.through > this.#through) return false;
      frames.restart(position);
    }
    frames.append(this.#ring, frames.through - oldest);
    return true;
  }

  /**
   * Compares a reader's position with the log of this tail.
   *
   * @returns `unknown` if the tail does not know which event is at the position.
   */
  compare({ through, entropy }: LogPosition): "same" | "other" | "unknown" {
    const oldest = this.#through - this.#ring.length;
    if (through < oldest || through > this.#through) return "unknown";
    const known = through === oldest
      ? this.#entropyBefore
      : this.#ring[through - oldest - 1]!.entropy;
    return entropy === undefined || known === undefined || known === entropy ? "same" : "other";
  }

  /** Notes that the store no longer has this tail's log, and wakes all readers. */
  markDiverged(): void {
    if (this.#hasDiverged) return;
    this.#hasDiverged = true;
    this.#onDiverged();
    this.#wakeAll();
  }

  /**
   * Calls `wake` whenever there is more, the task ends, or a heartbeat is due, until {@linkcode Tail.pause}.
   *
   * @param frames Waits for these frames; without them, for any event.
   */
  wait(control: StreamControl, wake: Wake, frames?: SharedFrames<never>): void {
    (frames?.waiters ?? this.#unframedReaders).wait(control, wake);
    if (this.#dirty) void this.#advance();
  }

  /** Stops waking a reader until it waits again. */
  pause(control: StreamControl, frames?: SharedFrames<never>): void {
    (frames?.waiters ?? this.#unframedReaders).pause(control);
  }

  /** Wakes all waiting readers for a heartbeat. */
  heartbeat(): void {
    this.#wakeAll("heartbeat");
  }

  /**
   * Advances the tail to a reader that is ahead of it because it read from the store itself.
   *
   * A gap of more than a page is skipped instead of read, since no reader needs it.
   */
  async advanceTo({ through, entropy }: LogPosition): Promise<void> {
    const { pageSize } = this.#context.options;
    // A read may be in progress that ends before the position; the second one rarely does.
    for (let pages = 0; pages < 2; pages++) {
      if (this.#hasDiverged) return;
      if (through <= this.#through || through - this.#through > pageSize) break;
      this.#dirty = true;
      // Waiting for the end of the log could take forever with a fast producer, so it waits for one page.
      const read = new Promise<void>((resolve) => this.#onPage.push(resolve));
      void this.#advance();
      await read;
    }
    if (through > this.#through && !this.#hasDiverged) {
      this.#ring = [];
      this.#ringBytes = 0;
      this.#through = through;
      this.#entropy = this.#entropyBefore = entropy;
      this.#dirty = true;
      this.#wakeAll(); // Readers at the old end read the gap from the store.
    }
  }

  #hasWaitingReaders(): boolean {
    if (this.#unframedReaders.waiting > 0) return true;
    for (const { waiters } of this.#frames.values()) if (waiters.waiting > 0) return true;
    return false;
  }

  #wakeAll(reason?: "heartbeat"): void {
    this.#scheduler.add(this.#unframedReaders, reason);
    for (const { waiters } of this.#frames.values()) this.#scheduler.add(waiters, reason);
    this.#scheduler.begin();
  }

  #advance(): Promise<void> {
    if (this.#hasDiverged) return Promise.resolve();
    if (this.#isAdvancing) return this.#advancing!;
    this.#isAdvancing = true;
    return this.#advancing = this.#readPages();
  }

  async #readPages(): Promise<void> {
    const { reader, options, clock } = this.#context;
    try {
      do {
        this.#dirty = false; // Before the read: a commit during it sets it again.
        const after = this.#through;
        const afterEntropy = this.#entropy;
        const readAtMs = clock.now();
        let page;
        try {
          page = await reader.readLog(this.taskId, {
            after,
            afterEntropy,
            limit: options.pageSize,
          });
        } catch (error) {
          // Readers stay connected, and continue when the store is back.
          this.#dirty = true;
          this.#context.report(error, { operation: "subscription", taskId: this.taskId });
          clock.clearTimeout(this.#retryTimer);
          if (this.#isClosed) return;
          this.#retryTimer = clock.setTimeout(() => this.markDirty(), options.storeRetryMs);
          return;
        }
        if (this.#through !== after) continue; // advanceTo() skipped a gap meanwhile.
        if (page === undefined || page.incarnation !== this.incarnation) {
          this.#ending = "deleted";
          this.#wakeAll();
          return;
        }
        if (isLost(page, after)) return this.markDiverged();
        this.#append(page.events);
        if (this.#through < page.length - 1) this.#dirty = true;
        else if (isTerminal(page.status)) this.#ending = page.status;
        this.#encode();
        this.#notifyPageRead();
        this.#observeDelivery(page.events);
        if (!this.#dirty) this.#endSeenAtMs = readAtMs;
      } while (this.#dirty && this.#hasWaitingReaders());
    } finally {
      // In the same synchronous step as the last check, so that a later wake-up starts a new read.
      this.#isAdvancing = false;
      this.#notifyPageRead();
    }
  }

  #notifyPageRead(): void {
    for (const tell of this.#onPage.splice(0)) tell();
  }

  /** Reports the delivery time of the oldest new event. Events from before the first read are not late. */
  #observeDelivery(events: readonly StoredEvent[]): void {
    const oldest = events.find(({ timestamp }) => timestamp >= this.#endSeenAtMs);
    if (oldest === undefined) return;
    const { observers, clock } = this.#context;
    observers.notify("onDelivery", Math.max(0, clock.now() - oldest.timestamp));
  }

  #append(events: readonly StoredEvent[]): void {
    const allFrames = [...this.#frames.values()];
    // Making readers wait longer would not save chunks, and their frames would have to be kept.
    if (allFrames.some((frames) => frames.isSplit)) this.#scheduler.finish();
    // Not earlier: the readers that were woken last needed a chance to read first.
    if (!this.#scheduler.isPending) { for (const frames of allFrames) frames.markWoken(); }
    for (const event of events) {
      if (event.index !== this.#through + 1) {
        // The events in between were trimmed. Readers before the gap read what is left from the store.
        this.#ring = [];
        this.#ringBytes = 0;
        this.#entropyBefore = undefined;
      }
      this.#ring.push(event);
      this.#ringBytes += event.data.length + EVENT_OVERHEAD_BYTES;
      this.#through = event.index;
      this.#entropy = event.entropy;
    }
  }

  /** Encodes frames for waiting readers, wakes them, and trims the ring. */
  #encode(): void {
    // Everything is encoded before the first reader is woken. A woken reader may join other frames at
    // once, and those would then look as if their waiting readers had been woken already.
    const grown: SharedFrames<never>[] = [];
    for (const frames of this.#frames.values()) {
      if (frames.waiters.waiting === 0) continue;
      const { frameCount } = frames;
      const isSynced = this.sync(frames);
      // Nothing matched.
      if (this.#ending === undefined && isSynced && frames.frameCount === frameCount) continue;
      grown.push(frames);
    }
    this.#scheduler.add(this.#unframedReaders);
    for (const { waiters } of grown) this.#scheduler.add(waiters);
    this.#scheduler.begin();
    this.#trim();
  }

  /** Drops the oldest events, many at a time, because dropping one moves all the others. */
  #trim(): void {
    const { tailBytes } = this.#context.options;
    if (this.#ringBytes <= tailBytes) return;
    let drop = 0;
    // The newest event stays if it fits.
    while (this.#ringBytes > (drop < this.#ring.length - 1 ? KEPT_SHARE : 1) * tailBytes) {
      this.#ringBytes -= this.#ring[drop++]!.data.length + EVENT_OVERHEAD_BYTES;
    }
    this.#entropyBefore = this.#ring[drop - 1]?.entropy ?? this.#entropyBefore;
    this.#ring.splice(0, drop);
  }
}
