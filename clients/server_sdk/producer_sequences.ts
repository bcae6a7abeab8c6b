import { TaskcastHttpError } from "@taskcast/client/http";
import { isAmbiguous } from "./retrying.ts";

/** Identifies a publish, so that the server recognizes it when it is repeated. */
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

/** Number of tasks whose producer is kept. Beyond it, the least recently used one starts over. */
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
        // The server does not know what it confirmed: the task has another incarnation by now.
        // Nothing was stored, so a new producer may send it.
        Object.assign(producer, { id: crypto.randomUUID(), epoch: 0, seq: 0 });
        return await this.#send(producer, count, send);
      }
      // A refused publish used no numbers. After one with an unknown outcome, a new epoch begins,
      // in which its numbers mean nothing; whatever of it still arrives is fenced off.
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
    // Inserted again, so that the least recently used one comes first.
    this.#producers.delete(taskId);
    this.#producers.set(taskId, producer);
    return producer;
  }

  /**
   * Drops the oldest producers. One that is needed again gets a new id, so no number is used twice.
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
