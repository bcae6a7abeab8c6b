import type { EventDraft } from "../contracts/records.ts";
import type { Refusal } from "../contracts/short_term_store.ts";

interface Producer {
  epoch: number;
  /** The index of the event with each sequence number. */
  indexes: number[];
}

/** What the producers of one task have sent, so that a repetition is known. */
export class Producers {
  readonly #producers = new Map<string, Producer>();

  /**
   * Tells for each draft which stored event it repeats, as if they were taken one after another.
   *
   * @param length Events in the log; drafts that repeat an earlier one of the same batch are
   * answered with the index that this one will get.
   * @returns For each draft the index of the event it repeats or `undefined`; or why it is refused.
   */
  check(drafts: readonly EventDraft[], length: number): (number | undefined)[] | Refusal {
    const pending = new Map<string, Producer>();
    let next = length;
    const repeats: (number | undefined)[] = [];
    for (let at = 0; at < drafts.length; at++) {
      const { producer } = drafts[at]!;
      if (producer === undefined) {
        repeats.push(undefined);
        next++;
        continue;
      }
      const { id, epoch, seq } = producer;
      const stored = this.#producers.get(id);
      // What this batch adds comes after what is stored; a new epoch begins at 0 with nothing.
      const added = pending.get(id);
      const highest = added?.epoch ?? stored?.epoch ?? epoch;
      if (epoch < highest) return { code: "PRODUCER_FENCED", at, epoch: highest };
      const known = stored?.epoch === epoch ? stored.indexes : [];
      const fresh = added?.epoch === epoch ? added.indexes : [];
      const expected = known.length + fresh.length;
      if (seq > expected) return { code: "SEQUENCE_GAP", at, expected };
      if (seq < expected) {
        repeats.push(known[seq] ?? fresh[seq - known.length]);
        continue;
      }
      repeats.push(undefined);
      fresh.push(next++);
      pending.set(id, { epoch, indexes: fresh });
    }
    return repeats;
  }

  /** Remembers that a draft was stored. */
  add({ producer }: EventDraft, index: number): void {
    if (producer === undefined) return;
    const { id, epoch } = producer;
    const known = this.#producers.get(id);
    if (known?.epoch === epoch) known.indexes.push(index);
    else this.#producers.set(id, { epoch, indexes: [index] });
  }
}
