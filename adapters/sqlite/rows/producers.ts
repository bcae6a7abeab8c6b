import type { KnownProducer, ProducerProgress } from "@taskcast/core/adapter";
import type { Statements } from "../connection/statements.ts";

/** Replaces the index of a trimmed event, which is not kept. */
export const TRIMMED_INDEX = -1;

/** Progress of the producers of one task within one commit. */
export class Producers {
  readonly #sql: Statements;
  readonly #task: number;
  readonly #known = new Map<string, KnownProducer | undefined>();

  constructor(sql: Statements, task: number) {
    this.#sql = sql;
    this.#task = task;
  }

  /** Writes what a commit adds. */
  save(progress: ReadonlyMap<string, ProducerProgress>): void {
    for (const [id, { epoch, nextSeq, added }] of progress) {
      // A new epoch voids the sequence numbers of the previous one.
      if (this.get(id)?.epoch !== epoch) {
        this.#sql.run(
          "DELETE FROM {producer_events} WHERE task = ? AND producer = ?",
          this.#task,
          id,
        );
      }
      this.#sql.run(
        "INSERT OR REPLACE INTO {producers} (task, producer, epoch, next_seq) VALUES (?, ?, ?, ?)",
        this.#task,
        id,
        epoch,
        nextSeq,
      );
      for (const [seq, index] of added) {
        this.#sql.run(
          "INSERT INTO {producer_events} (task, producer, seq, idx) VALUES (?, ?, ?, ?)",
          this.#task,
          id,
          seq,
          index,
        );
      }
    }
  }

  /** Looks up a producer. The first call reads it, later ones return the same. */
  get(id: string): KnownProducer | undefined {
    if (!this.#known.has(id)) {
      const row = this.#sql.one<{ epoch: number; next_seq: number }>(
        "SELECT epoch, next_seq FROM {producers} WHERE task = ? AND producer = ?",
        this.#task,
        id,
      );
      this.#known.set(
        id,
        row && {
          epoch: row.epoch,
          nextSeq: row.next_seq,
          indexOf: (seq) => this.#indexOf(id, seq),
        },
      );
    }
    return this.#known.get(id);
  }

  #indexOf(id: string, seq: number): number {
    return this.#sql.one<{ idx: number }>(
      "SELECT idx FROM {producer_events} WHERE task = ? AND producer = ? AND seq = ?",
      this.#task,
      id,
      seq,
    )?.idx ?? TRIMMED_INDEX;
  }
}

/** Removes the sequence numbers of trimmed events. The next number of each producer is kept. */
export function forgetSent(sql: Statements, task: number, indexes: readonly number[]): void {
  for (const index of indexes) {
    sql.run("DELETE FROM {producer_events} WHERE task = ? AND idx = ?", task, index);
  }
}
