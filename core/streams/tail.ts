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
import { ReaderList } from "./waking/reader_list.ts";
import { WakeScheduler } from "./waking/wake_scheduler.ts";

const EVENT_OVERHEAD_BYTES = 200;

/** Of the bytes that a tail may have: so many are left when it has to drop some. */
const KEPT_SHARE = 0.75;

/** Readers of one filter and format where series are told as a whole. */
interface Shared {
  readers: number;
  /** Where the newest batch begins. */
  after: LogPosition;
  batch?: Promise<unknown>;
}

/**
 * One task's newest events on this instance, read once for all of its readers.
 *
 * A wake-up only says that there may be more. The tail then reads on from where it is, and only
 * while a reader waits at its end: nobody who is slow makes it read or keep more than its bound.
 */
export class Tail {
  readonly taskId: string;
  readonly incarnation: string;
  readonly #context: EngineContext;
  readonly #views = new Map<string, SharedFrames<never>>();
  /** Readers without a view: any change wakes them. */
  readonly #waiters = new ReaderList();
  /** Those who share batches by filter and format, and the newest one; see `share`. */
  readonly #shared = new Map<string, Shared>();
  /** Recent events, without holes, the newest last. */
  #ring: StoredEvent[] = [];
  #ringBytes = 0;
  /** The entropy of the event before the ring's first, where it is known. */
  #entropyBefore?: number;
  /** When the newest read began that found the end of the log; what came later is new. */
  #endSeenAtMs = Infinity;
  #through: number;
  #entropy?: number;
  #ending?: DoneReason;
  #hasDiverged = false;
  readonly #onDiverged: () => void;
  /** The store may have more than was read. True at first: events may have come meanwhile. */
  #dirty = true;
  /** The newest reading, and whether it goes on. A promise that has settled is noticed a turn late. */
  #advancing?: Promise<void>;
  #isAdvancing = false;
  #unsubscribe?: Unsubscribe;
  readonly #rounds: WakeScheduler;
  #retryTimer?: unknown;
  #isClosed = false;
  /** Told of the next page, or that none could be read. */
  #onPage: (() => void)[] = [];
  /** Readers of any view. */
  readers = 0;
  readonly #waiter: Waiter;
  /** Reads what readers share: patiently, for as long as any of them is there. */
  readonly reader: TaskReader;

  constructor(
    context: EngineContext,
    options: LogPosition & {
      taskId: string;
      incarnation: string;
      /** Called once, when the log turned out to be another one. */
      onDiverged: () => void;
    },
  ) {
    this.#context = context;
    this.taskId = options.taskId;
    this.incarnation = options.incarnation;
    this.#through = options.through;
    this.#entropy = this.#entropyBefore = options.entropy;
    this.#onDiverged = options.onDiverged;
    this.#rounds = new WakeScheduler(context.options.wakesPerTurn);
    const isLeft = () => this.readers === 0 || this.#isClosed;
    this.#waiter = {
      get closed() {
        return isLeft();
      },
    };
    this.reader = new RetryingReader(context, this.#waiter, options.incarnation);
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
   * The log is not the one that this tail was read from: the store was restored to an earlier state.
   * Nothing is read any more, and each reader has to look where it stands.
   */
  get hasDiverged(): boolean {
    return this.#hasDiverged;
  }

  /** Bytes of the events that are kept, about. */
  get bytes(): number {
    return this.#ringBytes;
  }

  /** Bytes of the frames that are kept for all views. */
  get viewBytes(): number {
    let bytes = 0;
    for (const view of this.#views.values()) bytes += view.bytes;
    return bytes;
  }

  /** Listens for wake-ups. Resolves once none can be missed. */
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
    this.#rounds.close();
    this.#waiter.wake?.();
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = undefined;
    await unsubscribe?.();
  }

  /** There may be more in the store. */
  markDirty(): void {
    this.#dirty = true;
    if (this.#waiting()) void this.#advance();
  }

  /** The view that a reader shares with others of the same filter and format. */
  view<Chunk>(
    filter: EventFilter,
    encoder: FrameEncoder<Chunk>,
    start: LogPosition & { count: number },
  ): SharedFrames<Chunk> {
    const key = `${encoder.key} ${filterKey(filter)}`;
    let view = this.#views.get(key) as unknown as SharedFrames<Chunk> | undefined;
    if (view === undefined) {
      view = new SharedFrames<Chunk>(
        {
          taskId: this.taskId,
          incarnation: this.incarnation,
          filter,
          encoder,
          // All views of the task share the bound; each has a segment at least.
          maxBytes: () => this.#context.options.tailBytes / this.#views.size,
        },
        start,
      );
      this.#views.set(key, view as unknown as SharedFrames<never>);
    }
    view.readers++;
    return view;
  }

  /** A reader does not wait any more, and leaves its view. */
  leave(control: StreamControl, view?: SharedFrames<never>): void {
    (view?.waiters ?? this.#waiters).delete(control);
    if (view === undefined || --view.readers > 0) return;
    for (const [key, value] of this.#views) if (value === view) this.#views.delete(key);
  }

  /**
   * Encodes what the ring has for a view.
   *
   * @param position Where a reader of the view stands; the view begins anew there if it lost touch.
   * @returns Whether the view is at {@linkcode Tail.through} now.
   */
  sync<Chunk>(view: SharedFrames<Chunk>, position?: LogPosition & { count: number }): boolean {
    if (view.through === this.#through) return true;
    const oldest = this.#through - this.#ring.length; // Before the first event of the ring.
    if (view.through < oldest) {
      if (position === undefined || position.through < oldest) return false;
      if (position.through > this.#through) return false;
      view.restart(position);
    }
    view.append(this.#ring, view.through - oldest);
    return true;
  }

  /**
   * Compares a place that was not reached with this tail with what the tail has read.
   *
   * @returns `unknown` where the tail does not know (any more) which event is there.
   */
  compare({ through, entropy }: LogPosition): "same" | "other" | "unknown" {
    const oldest = this.#through - this.#ring.length;
    if (through < oldest || through > this.#through) return "unknown";
    const known = through === oldest
      ? this.#entropyBefore
      : this.#ring[through - oldest - 1]!.entropy;
    return entropy === undefined || known === undefined || known === entropy ? "same" : "other";
  }

  /** A reader found that the log is another one than this tail has. */
  distrust(): void {
    if (this.#hasDiverged) return;
    this.#hasDiverged = true;
    this.#onDiverged();
    this.#wakeAll();
  }

  /**
   * Calls `wake` when there is more, the task ends, or a sign of life is due, again and again until
   * {@linkcode Tail.pause}.
   *
   * @param view Wait for frames of this view; without one, for any event.
   */
  wait(control: StreamControl, wake: Wake, view?: SharedFrames<never>): void {
    (view?.waiters ?? this.#waiters).wait(control, wake);
    if (this.#dirty) void this.#advance();
  }

  /** A reader does not wait for the moment. */
  pause(control: StreamControl, view?: SharedFrames<never>): void {
    (view?.waiters ?? this.#waiters).pause(control);
  }

  /**
   * Makes a batch that starts after an index once for all readers who want it, one soon and another
   * later; the next one takes its place.
   *
   * @param key The filter and format.
   */
  share<Batch>(key: string, after: LogPosition, make: () => Promise<Batch>): Promise<Batch> {
    const shared = this.#shared.get(key)!;
    if (shared.batch !== undefined && isSame(shared.after, after)) {
      return shared.batch as Promise<Batch>;
    }
    const batch = make();
    shared.after = after;
    shared.batch = batch;
    batch.catch(() => this.unshare(key, after));
    return batch;
  }

  /** Has the next one who wants a batch make it anew. */
  unshare(key: string, after: LogPosition): void {
    const shared = this.#shared.get(key);
    if (shared !== undefined && isSame(shared.after, after)) shared.batch = undefined;
  }

  /** A reader will want batches of this filter and format. */
  joinShared(key: string): void {
    const shared = this.#shared.get(key) ?? { readers: 0, after: { through: -1 } };
    shared.readers++;
    this.#shared.set(key, shared);
  }

  /** It does not any more; with the last one goes the newest batch. */
  leaveShared(key: string): void {
    if (--this.#shared.get(key)!.readers === 0) this.#shared.delete(key);
  }

  /** Wakes all who wait, with a sign of life. */
  heartbeat(): void {
    this.#wakeAll("heartbeat");
  }

  /**
   * Brings the tail up to a reader that is ahead of it, having read from the store by itself.
   *
   * Reading the gap would be right, too, but it may be long: nobody is there who needs it.
   */
  async reach({ through, entropy }: LogPosition): Promise<void> {
    const { pageSize } = this.#context.options;
    // A page may be on its way that ends before; the second one hardly does.
    for (let pages = 0; pages < 2; pages++) {
      if (this.#hasDiverged) return;
      if (through <= this.#through || through - this.#through > pageSize) break;
      this.#dirty = true;
      // Not until all is read: with a producer that is fast enough, that never comes.
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
      this.#wakeAll(); // Who waits at the old end reads the gap from the store.
    }
  }

  #waiting(): boolean {
    if (this.#waiters.waiting > 0) return true;
    for (const { waiters } of this.#views.values()) if (waiters.waiting > 0) return true;
    return false;
  }

  #wakeAll(reason?: "heartbeat"): void {
    this.#rounds.add(this.#waiters, reason);
    for (const { waiters } of this.#views.values()) this.#rounds.add(waiters, reason);
    this.#rounds.begin();
  }

  #advance(): Promise<void> {
    if (this.#hasDiverged) return Promise.resolve();
    if (this.#isAdvancing) return this.#advancing!;
    this.#isAdvancing = true;
    return this.#advancing = this.#readOn();
  }

  async #readOn(): Promise<void> {
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
          // Readers stay; they go on when the store is back.
          this.#dirty = true;
          this.#context.report(error, { operation: "subscription", taskId: this.taskId });
          clock.clearTimeout(this.#retryTimer);
          if (this.#isClosed) return;
          this.#retryTimer = clock.setTimeout(() => this.markDirty(), options.storeRetryMs);
          return;
        }
        if (this.#through !== after) continue; // Somebody moved on meanwhile; see reach().
        if (page === undefined || page.incarnation !== this.incarnation) {
          this.#ending = "deleted";
          this.#wakeAll();
          return;
        }
        if (isLost(page, after)) return this.distrust();
        this.#take(page.events);
        if (this.#through < page.length - 1) this.#dirty = true;
        else if (isTerminal(page.status)) this.#ending = page.status;
        this.#encode();
        this.#tellOfPage();
        this.#measure(page.events);
        if (!this.#dirty) this.#endSeenAtMs = readAtMs;
      } while (this.#dirty && this.#waiting());
    } finally {
      this.#isAdvancing = false; // In the step of the last look: what comes after it must start anew.
      this.#tellOfPage();
    }
  }

  #tellOfPage(): void {
    for (const tell of this.#onPage.splice(0)) tell();
  }

  /** What was there before somebody came is not late; of the rest the oldest waited longest. */
  #measure(events: readonly StoredEvent[]): void {
    const oldest = events.find(({ timestamp }) => timestamp >= this.#endSeenAtMs);
    if (oldest === undefined) return;
    const { observers, clock } = this.#context;
    observers.tell("onDelivery", Math.max(0, clock.now() - oldest.timestamp));
  }

  #take(events: readonly StoredEvent[]): void {
    const views = [...this.#views.values()];
    // Who waits longer would get no fewer chunks, but views would have to keep them all.
    if (views.some((view) => view.isSplit)) this.#rounds.finish();
    // Only now, since those who were woken last had to look again before.
    if (!this.#rounds.isPending) { for (const view of views) view.markWoken(); }
    for (const event of events) {
      if (event.index !== this.#through + 1) {
        // What lies between was trimmed: readers that stand before it ask the store what is left.
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

  /** Encodes for the views where somebody waits, wakes them, and trims the ring. */
  #encode(): void {
    // All is encoded before anybody is woken, who might read in another view at once: that one would
    // look then as if its waiters had been woken.
    const grown: SharedFrames<never>[] = [];
    for (const view of this.#views.values()) {
      if (view.waiters.waiting === 0) continue;
      const { frames } = view;
      const synced = this.sync(view);
      if (this.#ending === undefined && synced && view.frames === frames) continue; // Nothing that matches.
      grown.push(view);
    }
    this.#rounds.add(this.#waiters);
    for (const { waiters } of grown) this.#rounds.add(waiters);
    this.#rounds.begin();
    this.#trim();
  }

  /** Drops the oldest events, many at a time: to drop one moves all the others. */
  #trim(): void {
    const { tailBytes } = this.#context.options;
    if (this.#ringBytes <= tailBytes) return;
    let drop = 0;
    // The newest one stays where it fits.
    while (this.#ringBytes > (drop < this.#ring.length - 1 ? KEPT_SHARE : 1) * tailBytes) {
      this.#ringBytes -= this.#ring[drop++]!.data.length + EVENT_OVERHEAD_BYTES;
    }
    this.#entropyBefore = this.#ring[drop - 1]?.entropy ?? this.#entropyBefore;
    this.#ring.splice(0, drop);
  }
}

function isSame(a: LogPosition, b: LogPosition): boolean {
  return a.through === b.through && a.entropy === b.entropy;
}
