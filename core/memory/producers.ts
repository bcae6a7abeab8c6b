import type { EventDraft } from "../contracts/records.ts";
import type { Refusal } from "../contracts/short_term_store.ts";
import type { ProducerCheck } from "../domain/append.ts";
import { checkProducers } from "../domain/append.ts";

interface Producer {
  epoch: number;
  /** The index of the event with each sequence number. */
  indexes: number[];
}

/** Progress of the producers of one task, which detects repetitions. */
export class Producers {
  /** Made with the first producer: an empty map takes 184 bytes, of about 1000 for a task. */
  #producers?: Map<string, Producer>;

  /** See {@linkcode checkProducers}; `repeats` may also be empty when there are none. */
  check(drafts: readonly EventDraft[], length: number): ProducerCheck | Refusal {
    if (!drafts.some(hasProducer)) return NO_PRODUCERS;
    return checkProducers(drafts, length, (id) => {
      const known = this.#producers?.get(id);
      if (known === undefined) return undefined;
      const { epoch, indexes } = known;
      return { epoch, nextSeq: indexes.length, indexOf: (seq) => indexes[seq]! };
    });
  }

  /** Remembers that a draft was stored. */
  add({ producer }: EventDraft, index: number): void {
    if (producer === undefined) return;
    const { id, epoch } = producer;
    this.#producers ??= new Map();
    const known = this.#producers.get(id);
    if (known?.epoch === epoch) known.indexes.push(index);
    else this.#producers.set(id, { epoch, indexes: [index] });
  }
}

const NO_PRODUCERS: ProducerCheck = { repeats: [], progress: new Map() };

function hasProducer({ producer }: EventDraft): boolean {
  return producer !== undefined;
}
