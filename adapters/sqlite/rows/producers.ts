import type { EventDraft, KnownProducer, ProducerProgress, Refusal } from "@taskcast/core/adapter";
import { checkProducers } from "@taskcast/core/adapter";
import type { Statements } from "../connection/statements.ts";

/** Stands for the index of an event that was trimmed; that is not kept. */
export const TRIMMED_INDEX = -1;

/** Progress of the producers of one task within one commit. */
export class Producers {
  readonly #sql: Statements;
  readonly #task: number;
  readonly #known = new Map<string, KnownProducer | undefined>();
  #progress: ReadonlyMap<string, ProducerProgress> = new Map();

  constructor(sql: Statements, task: number) {
    this.#sql = sql;
    this.#task = task;
  }

  /** For each draft the index of the event that it repeats, or why the commit is refused. */
  check(drafts: readonly EventDraft[], length: number): (number | undefined)[] | Refusal {
    const checked = checkProducers(drafts, length, (id) => this.#producerOf(id));
    if ("code" in checked) return checked;
    this.#progress = checked.progress;
    return checked.repeats;
  }

  /** Remembers what {@linkcode Producers.check} let through. */
  save(): void {
    for (const [id, { epoch, nextSeq, added }] of this.#progress) {
      // A new epoch: the numbers of the one before mean nothing any more.
      if (this.#producerOf(id)?.epoch !== epoch) {
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

  #producerOf(id: string): KnownProducer | undefined {
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

/** Forgets who sent events that were trimmed. What comes next of each producer stays known. */
export function forgetSent(sql: Statements, task: number, indexes: readonly number[]): void {
  for (const index of indexes) {
    sql.run("DELETE FROM {producer_events} WHERE task = ? AND idx = ?", task, index);
  }
}
