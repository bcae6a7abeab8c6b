import type { EventDraft } from "../contracts/records.ts";
import type { Refusal } from "../contracts/short_term_store.ts";
import type { SeriesMode } from "../protocol/event.ts";

// What every store asks before it appends: rules over what it has looked up.

/** What a store knows of a producer. */
export interface KnownProducer {
  /** The highest epoch that was used. */
  epoch: number;
  /** The sequence number that comes next in it. */
  nextSeq: number;
  /** The index of the event with a sequence number below `nextSeq`. */
  indexOf(seq: number): number;
}

/** What a commit adds to a producer. */
export interface ProducerProgress {
  /** The epoch; another than before means that the numbers of the one before are forgotten. */
  epoch: number;
  /** The sequence number that comes next. */
  nextSeq: number;
  /** Index by sequence number, of what is added. */
  added: Map<number, number>;
}

/** Which drafts are repetitions, and what becomes of the producers. */
export interface ProducerCheck {
  /** For each draft the index of the event that it repeats, or `undefined` when it is new. */
  repeats: (number | undefined)[];
  /** The producers that sent something new. */
  progress: Map<string, ProducerProgress>;
}

/**
 * Tells for each draft which stored event it repeats, as if they were taken one after another.
 *
 * @param length Events in the log; a draft that repeats an earlier one of the same commit is
 * answered with the index that this one will get.
 * @param known Looks a producer up.
 */
export function checkProducers(
  drafts: readonly EventDraft[],
  length: number,
  known: (producerId: string) => KnownProducer | undefined,
): ProducerCheck | Refusal {
  const repeats: (number | undefined)[] = [];
  const progress = new Map<string, ProducerProgress>();
  let next = length;
  for (const [at, { producer }] of drafts.entries()) {
    if (producer === undefined) {
      repeats.push(undefined);
      next++;
      continue;
    }
    const { id, epoch, seq } = producer;
    const stored = known(id);
    const added = progress.get(id);
    const current = added ?? stored;
    if (current !== undefined && epoch < current.epoch) {
      return { code: "PRODUCER_FENCED", at, epoch: current.epoch };
    }
    const expected = current?.epoch === epoch ? current.nextSeq : 0;
    if (seq > expected) return { code: "SEQUENCE_GAP", at, expected };
    if (seq < expected) {
      repeats.push(added?.added.get(seq) ?? stored!.indexOf(seq));
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

/** What a series began as; it keeps that. */
export interface SeriesKind {
  /** How it works. */
  mode: SeriesMode;
  /** The appended field, of an accumulate series. */
  accField?: string;
}

/** What a draft begins, if its series is new. */
export function newSeriesKind({ seriesMode: mode = "keep-all", accField }: EventDraft): SeriesKind {
  return mode === "accumulate" ? { mode, accField } : { mode };
}

/**
 * Whether each new draft says of its series what the series began as, and brings what it needs.
 *
 * @param repeats Those that are left out; see {@linkcode checkProducers}.
 * @param known Looks a series up.
 */
export function checkSeries(
  drafts: readonly EventDraft[],
  repeats: readonly (number | undefined)[],
  known: (seriesId: string) => SeriesKind | undefined,
): Refusal | undefined {
  // Made with the first series that is new: most drafts are of one that is known, or of none.
  let begun: Map<string, SeriesKind> | undefined;
  for (let at = 0; at < drafts.length; at++) {
    const draft = drafts[at]!;
    const { seriesId, seriesMode, accField, mustNotAccumulate } = draft;
    if (seriesId === undefined || repeats[at] !== undefined) continue;
    let kind = known(seriesId) ?? begun?.get(seriesId);
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
