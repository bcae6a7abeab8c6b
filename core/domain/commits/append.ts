import type { EventDraft } from "../../contracts/records.ts";
import type { Refusal } from "../../contracts/short_term_store.ts";
import type { SeriesMode } from "../../protocol/event.ts";

// The parts of a commit's check that concern producers and series; see `checkCommit`.

/** The stored state of a producer. */
export interface KnownProducer {
  /** The highest epoch used so far. */
  epoch: number;
  /** The next sequence number in that epoch. */
  nextSeq: number;
  /** Returns the index of the event with a sequence number below `nextSeq`. */
  indexOf(seq: number): number;
}

/** The state that a commit adds to a producer. */
export interface ProducerProgress {
  /** The epoch. If it is new, the sequence numbers of the previous one are discarded. */
  epoch: number;
  /** The next sequence number. */
  nextSeq: number;
  /** Event index by sequence number, for new events. */
  added: Map<number, number>;
}

/** The repetitions among drafts, and the new state of their producers. */
export interface ProducerCheck {
  /** For each draft, the index of the event it repeats, or `undefined` if it is new. */
  repeats: readonly (number | undefined)[];
  /** The producers that sent new events. */
  progress: ReadonlyMap<string, ProducerProgress>;
}

/**
 * Finds the stored event that each draft repeats, as if drafts were appended one at a time.
 *
 * @param stored The log. A draft that repeats an earlier draft of the same commit yields the index that
 *   the earlier one will get.
 */
export function checkProducers(
  drafts: readonly EventDraft[],
  stored: { readonly length: number; producer(id: string): KnownProducer | undefined },
): ProducerCheck | Refusal {
  const repeats: (number | undefined)[] = [];
  const progress = new Map<string, ProducerProgress>();
  let next = stored.length;
  for (const [at, { producer }] of drafts.entries()) {
    if (producer === undefined) {
      repeats.push(undefined);
      next++;
      continue;
    }
    const { id, epoch, seq } = producer;
    const known = stored.producer(id);
    const added = progress.get(id);
    const current = added ?? known;
    if (current !== undefined && epoch < current.epoch) {
      return { code: "PRODUCER_FENCED", at, epoch: current.epoch };
    }
    const expected = current?.epoch === epoch ? current.nextSeq : 0;
    if (seq > expected) return { code: "SEQUENCE_GAP", at, expected };
    if (seq < expected) {
      repeats.push(added?.added.get(seq) ?? known!.indexOf(seq));
      continue;
    }
    const grown = added?.epoch === epoch ? added : { epoch, nextSeq: expected, added: new Map() };
    grown.added.set(seq, next++);
    grown.nextSeq++;
    progress.set(id, grown);
    repeats.push(undefined);
  }
  return { repeats, progress };
}

/** The kind of a series, fixed by its first event. */
export interface SeriesKind {
  /** Mode of the series. */
  mode: SeriesMode;
  /** The accumulated field of an `accumulate` series. */
  accField?: string;
}

/** Returns the kind of the series that a draft starts. */
export function newSeriesKind({ seriesMode: mode = "keep-all", accField }: EventDraft): SeriesKind {
  return mode === "accumulate" ? { mode, accField } : { mode };
}

/**
 * Checks that each new draft agrees with the kind of its series and has the data the series needs.
 *
 * @param repeats Repetitions, which are skipped; see {@linkcode checkProducers}.
 */
export function checkSeries(
  drafts: readonly EventDraft[],
  repeats: readonly (number | undefined)[],
  stored: { seriesKind(id: string): SeriesKind | undefined },
): Refusal | undefined {
  // Created only for the first new series: most drafts belong to a known series or to none.
  let begun: Map<string, SeriesKind> | undefined;
  for (let at = 0; at < drafts.length; at++) {
    const draft = drafts[at]!;
    const { seriesId, seriesMode, accField, mustNotAccumulate } = draft;
    if (seriesId === undefined || repeats[at] !== undefined) continue;
    let kind = stored.seriesKind(seriesId) ?? begun?.get(seriesId);
    if (kind === undefined) {
      kind = newSeriesKind(draft);
      (begun ??= new Map()).set(seriesId, kind);
    }
    const { mode } = kind;
    const otherField = mode === "accumulate" && kind.accField !== accField;
    if ((seriesMode !== undefined && seriesMode !== mode) || otherField) {
      return { code: "SERIES_CONFLICT", at, mode, accField: kind.accField };
    }
    if (mustNotAccumulate && mode === "accumulate") {
      return { code: "NO_DELTA", at, accField: accField! };
    }
  }
  return undefined;
}
