import type { EventDraft, Refusal } from "@taskcast/core";
import type { Statements } from "./statements.ts";

interface Producer {
  epoch: number;
  nextSeq: number;
  /** Where what this batch adds will stand. */
  added: Map<number, number>;
}

/** What the producers of one task have sent, within one commit. */
export class Producers {
  readonly #sql: Statements;
  readonly #task: number;
  readonly #producers = new Map<string, Producer>();

  constructor(sql: Statements, task: number) {
    this.#sql = sql;
    this.#task = task;
  }

  /**
   * Tells for each draft which event it repeats, as if they were taken one after another.
   *
   * @returns For each draft an index or `undefined`; or why it is refused.
   */
  check(drafts: readonly EventDraft[], length: number): (number | undefined)[] | Refusal {
    const repeats: (number | undefined)[] = [];
    let next = length;
    for (const [at, { producer }] of drafts.entries()) {
      if (producer === undefined) {
        repeats.push(undefined);
        next++;
        continue;
      }
      const { id, epoch, seq } = producer;
      const known = this.#producerOf(id);
      if (known !== undefined && epoch < known.epoch) {
        return { code: "PRODUCER_FENCED", at, epoch: known.epoch };
      }
      const current = known?.epoch === epoch ? known : undefined;
      const expected = current?.nextSeq ?? 0;
      if (seq > expected) return { code: "SEQUENCE_GAP", at, expected };
      if (current !== undefined && seq < expected) {
        repeats.push(current.added.get(seq) ?? this.#indexOf(id, seq));
        continue;
      }
      const grown = current ?? { epoch, nextSeq: 0, added: new Map() };
      grown.added.set(seq, next++);
      grown.nextSeq++;
      this.#producers.set(id, grown);
      repeats.push(undefined);
    }
    return repeats;
  }

  /** Remembers what {@linkcode Producers.check} let through. */
  save(): void {
    for (const [id, { epoch, nextSeq, added }] of this.#producers) {
      if (added.size === 0) continue;
      // A new epoch: the numbers of the one before mean nothing any more.
      if (nextSeq === added.size) {
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

  #producerOf(id: string): Producer | undefined {
    const known = this.#producers.get(id);
    if (known !== undefined) return known;
    const row = this.#sql.one<{ epoch: number; next_seq: number }>(
      "SELECT epoch, next_seq FROM {producers} WHERE task = ? AND producer = ?",
      this.#task,
      id,
    );
    if (row === undefined) return undefined;
    const producer = { epoch: row.epoch, nextSeq: row.next_seq, added: new Map() };
    this.#producers.set(id, producer);
    return producer;
  }

  #indexOf(id: string, seq: number): number {
    return this.#sql.one<{ idx: number }>(
      "SELECT idx FROM {producer_events} WHERE task = ? AND producer = ? AND seq = ?",
      this.#task,
      id,
      seq,
    )!.idx;
  }
}
