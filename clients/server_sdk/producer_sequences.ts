import { TaskcastHttpError } from "@taskcast/client/http";
import { isAmbiguous } from "./retrying.ts";

/** Identifies a publish, so that the server recognizes a repeated one. */
export interface Sequence {
  producerId: string;
  producerEpoch: number;
  /** Number of the first event; the next ones follow. */
  producerSeq: number;
}

interface Producer {
  id: string;
  epoch: number;
  seq: number;
  /**
   * The last publish to the task. They run one after another, since their numbers must arrive in
   * order.
   */
  last: Promise<unknown>;
  waiting: number;
}

function isGap(error: unknown): boolean {
  return error instanceof TaskcastHttpError && error.code === "SEQUENCE_GAP";
}

/** Maximum number of tasks whose producer is kept. Beyond it, the least recently used is dropped. */
const MAX_TASKS = 1_000;

/** Numbers the publishes of one client, per task. */
export class ProducerSequences {
  readonly #producers = new Map<string, Producer>();

  /** Publishes `count` events with the task's next numbers, after the previous publishes. */
  async publish<T>(
    taskId: string,
    count: number,
    send: (sequence: Sequence) => Promise<T>,
  ): Promise<T> {
    const producer = this.#producerOf(taskId);
    producer.waiting++;
    const result = producer.last.then(() => this.#send(producer, count, send));
    producer.last = result.catch(() => {});
    try {
      return await result;
    } finally {
      producer.waiting--;
      this.#trim();
    }
  }

  async #send<T>(
    producer: Producer,
    count: number,
    send: (sequence: Sequence) => Promise<T>,
  ): Promise<T> {
    const { id: producerId, epoch: producerEpoch, seq: producerSeq } = producer;
    try {
      const result = await send({ producerId, producerEpoch, producerSeq });
      producer.seq += count;
      return result;
    } catch (error) {
      if (producerSeq > 0 && isGap(error)) {
        // The server no longer has the numbers that it confirmed, because the task has another
        // incarnation. Nothing was stored, so it is safe to send the events as a new producer.
        Object.assign(producer, { id: crypto.randomUUID(), epoch: 0, seq: 0 });
        return await this.#send(producer, count, send);
      }
      // A refused publish used no numbers. After a publish with an unknown outcome, a new epoch
      // begins with number 0. The server fences off events of the old epoch that arrive later.
      if (isAmbiguous(error)) {
        producer.epoch++;
        producer.seq = 0;
      }
      throw error;
    }
  }

  #producerOf(taskId: string): Producer {
    const known = this.#producers.get(taskId);
    const producer = known ??
      { id: crypto.randomUUID(), epoch: 0, seq: 0, last: Promise.resolve(), waiting: 0 };
    // Inserted again to keep the map in the order of use.
    this.#producers.delete(taskId);
    this.#producers.set(taskId, producer);
    return producer;
  }

  /**
   * Drops the least recently used producer. The task's next producer gets a new id, so no number is
   * used twice.
   */
  #trim(): void {
    if (this.#producers.size <= MAX_TASKS) return;
    for (const [taskId, { waiting }] of this.#producers) {
      if (waiting > 0) continue;
      this.#producers.delete(taskId);
      return;
    }
  }
}
