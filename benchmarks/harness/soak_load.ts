import { pause } from "./measure.ts";
import { createTask, endTask, post } from "./api.ts";
import { nowMs, sentAtMs } from "./sent_at.ts";
import { readSse } from "./sse_reader.ts";

/** Intensity of the load. */
export interface SoakOptions {
  eventsPerSecond: number;
  /** Tasks that are live at a time. */
  tasks: number;
  /** Readers at a time, spread over the tasks. */
  readers: number;
}

/** Counts since the previous sample. */
export interface SoakSample {
  published: number;
  delivered: number;
  tasksEnded: number;
  readersOpened: number;
  missing: number;
  doubled: number;
  outOfOrder: number;
  /** Failed requests and streams. */
  errors: number;
  publishMs: number[];
  deliveryMs: number[];
}

/** Events of a task, on average. */
const TASK_EVENTS = 600;
/** Fewest and most events that a reader stays for. */
const READER_EVENTS = [20, 400] as const;
/** Deliveries for each one that is timed; timing all would be most of the client's work. */
const TIMED = 20;

/** Producers that replace their tasks, and readers that join late, stay a while and leave. */
export class SoakLoad {
  readonly #url: string;
  readonly #options: SoakOptions;
  readonly #live: string[] = [];
  readonly #running: Promise<void>[] = [];
  #sample = emptySample();
  #stopped = false;
  #deliveries = 0;

  constructor(url: string, options: SoakOptions) {
    this.#url = url;
    this.#options = options;
  }

  start(): void {
    const { tasks, readers } = this.#options;
    for (let n = 0; n < tasks; n++) this.#running.push(this.#produce(n));
    for (let n = 0; n < readers; n++) this.#running.push(this.#follow());
  }

  /** Returns the counts since the previous call. */
  take(): SoakSample {
    const sample = this.#sample;
    this.#sample = emptySample();
    return sample;
  }

  /** Ends all tasks and waits for the last reader. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Produces one task after the other. */
  async #produce(n: number): Promise<void> {
    const { eventsPerSecond, tasks } = this.#options;
    const periodMs = 1000 * tasks / eventsPerSecond;
    await pause(periodMs * Math.random()); // Spreads the producers over the period.
    while (!this.#stopped) {
      try {
        const id = await createTask(this.#url);
        // Lengths differ, so that tasks do not end together.
        const length = TASK_EVENTS * (0.5 + Math.random());
        let nextMs = performance.now();
        for (let i = 0; i < length && !this.#stopped; i++) {
          nextMs += periodMs;
          await this.#publish(id, i);
          this.#live[n] = id; // Only now, so that readers find an event.
          await pause(nextMs - performance.now());
        }
        await endTask(this.#url, id);
        this.#sample.tasksEnded++;
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  async #publish(id: string, i: number): Promise<void> {
    const startedMs = performance.now();
    // Half of the events are tokens of a text.
    const event = i % 2 === 0
      ? {
        seriesId: "answer",
        seriesMode: "accumulate",
        data: { delta: `token${i % 10} `, at: nowMs() },
      }
      : { data: { at: nowMs(), text: "x".repeat(40) } };
    await post(`${this.#url}/tasks/${id}/events`, { type: "soak.step", ...event });
    this.#sample.publishMs.push(performance.now() - startedMs);
    this.#sample.published++;
  }

  /** Follows one task after the other; most readers leave before the end. */
  async #follow(): Promise<void> {
    while (!this.#stopped) {
      const id = this.#live[Math.floor(Math.random() * this.#live.length)];
      if (id === undefined) {
        await pause(20);
        continue;
      }
      const [least, most] = READER_EVENTS;
      let left = least + Math.random() * (most - least);
      const joinedMs = nowMs();
      // Half of the readers join late and get texts as a whole, so their numbers have gaps. The
      // others read the raw log from its second event and must see each number once.
      const fromSecond = Math.random() < 0.5;
      const query = fromSecond ? "?since.index=0" : "";
      const reader = readSse(`${this.#url}/tasks/${id}/events${query}`, {
        first: fromSecond ? 1 : 0,
        bufferBytes: 16 * 1024,
        onEvent: (line) => {
          this.#delivered(line, joinedMs);
          if (--left <= 0) reader.close();
        },
      });
      this.#sample.readersOpened++;
      try {
        await reader.opened;
        await reader.ended;
      } catch (error) {
        if (!this.#stopped) this.#fail(error);
      }
      if (fromSecond) this.#sample.missing += reader.faults.missing;
      this.#sample.doubled += reader.faults.doubled;
      this.#sample.outOfOrder += reader.faults.outOfOrder;
    }
  }

  #delivered(line: Uint8Array, joinedMs: number): void {
    this.#sample.delivered++;
    if (++this.#deliveries % TIMED > 0) return;
    const atMs = sentAtMs(line);
    // Events from before the reader joined are not late.
    if (atMs > joinedMs) this.#sample.deliveryMs.push(nowMs() - atMs);
  }

  #fail(error: unknown): void {
    this.#sample.errors++;
    console.error(error);
  }
}

function emptySample(): SoakSample {
  return {
    published: 0,
    delivered: 0,
    tasksEnded: 0,
    readersOpened: 0,
    missing: 0,
    doubled: 0,
    outOfOrder: 0,
    errors: 0,
    publishMs: [],
    deliveryMs: [],
  };
}
