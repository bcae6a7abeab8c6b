import type {
  DueTimes,
  EventDraft,
  EventKind,
  StoredEvent,
  WorkMarks,
} from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** A long text that lies in chunks of its own. */
export interface BlobRef {
  /** The texts that were put aside with it. */
  blob: string;
  /** Which of these it is. */
  no: number;
  /** Characters. */
  chars: number;
}

/** A text, or where it is. */
export type Text = string | BlobRef;

/** Where a task stands. Every change of the task writes it. */
export interface Head {
  /** Names this life's keys. */
  life: string;
  incarnation: string;
  version: number;
  status: TaskStatus;
  hooked: boolean;
  /** Events in the log. */
  length: number;
  /**
   * The entropy of the newest event, if the index is that of it: version 0.1.0 goes on without
   * knowing of this.
   */
  newest?: { index: number; entropy: number };
  /** Characters of data of the events that are left. */
  dataChars: number;
  /** The timestamp of the newest event. */
  lastMs: number;
  trimmedThrough?: number;
  /** Classes of events so far; 0 stands for all that are plain. */
  classes: number;
  due: DueTimes;
  marks: WorkMarks;
  /** The lists that the task is in, beside that of all. */
  listed: { createdAt: number; type?: string; tags: string[] };
  /** Where the record is, if it is long. */
  record?: BlobRef;
  /** Recent writers with the number of the last operation of each, latest last. */
  writers?: (readonly [writer: string, operation: number])[];
  /** A commit that was made and is being written out, as it is too big for one operation. */
  wide?: { drafts: BlobRef; nowMs: number; next: number };
}

/** An id of a task that was released lately. */
export interface ClosedId {
  incarnation: string;
  untilMs: number;
}

/** Something that is removed as soon as nobody can need it. */
export type Garbage =
  /** Keys of a life that begin so; none: all of them. */
  & { life: string; prefixes: GarbagePrefix[] }
  /** Marks a value that its writer can no longer use. */
  & { taken?: true };

/** The keys of a life that begin so. */
export type GarbagePrefix = readonly (string | number)[];

/** An event as it is kept; its index is in its key. */
export interface EventValue {
  at: number;
  entropy: number;
  type: string;
  level: Level;
  data: Text;
  seriesId?: string;
  mode?: SeriesMode;
  accField?: string;
  /** Its class, and how many of it come before. */
  classNo: number;
  place: number;
}

/** A type and level, of events that stand alone or that do not. */
export interface ClassValue {
  no: number;
  total: number;
}

/** Kind of a series, and the place of its fold. */
export interface SeriesValue {
  mode: SeriesMode;
  accField?: string;
  /** The index of its newest event; left out for keep-all, which has no fold. */
  newest?: number;
}

/** The fold of a series. */
export interface FoldValue {
  seriesId: string;
  mode: "latest" | "accumulate";
  accField?: string;
  index: number;
  newest: EventValue;
  classes: EventKind[] | null;
  /** Which text it is: one more whenever it began anew. */
  era: number;
  /** Parts that are complete. */
  parts: number;
  /** Text behind them. @default the value of the newest event */
  tail?: string;
}

/** Progress of a producer. */
export interface ProducerValue {
  epoch: number;
  nextSeq: number;
  /** The last sequence numbers that lie side by side in the log. */
  run: RunValue & { seq: number };
}

/** Sequence numbers that lie side by side in the log. */
export interface RunValue {
  index: number;
  count: number;
}

/** A draft whose long texts have been put aside. */
export interface PreparedDraft extends Omit<EventDraft, "data" | "delta"> {
  data: Text;
  delta?: Text;
}

/** Facts about a task in a list, so that most filters need not read the task. */
export interface ListedValue {
  status: TaskStatus;
  type?: string;
}

/** Wake-up for watchers of a task. */
export interface WakeValue {
  from: number;
  length: number;
  ended?: boolean;
}

/** Marker behind all folds. */
export interface FoldsEnd {
  length: number;
  status: TaskStatus;
  /** A commit is being written out: the folds are ahead. */
  wide?: true;
}

/** Characters of a text. */
export function charsOf(text: Text): number {
  return typeof text === "string" ? text.length : text.chars;
}

/** The event of a value whose data has been fetched. */
export function toStoredEvent(index: number, value: EventValue, data: string): StoredEvent {
  const { at, entropy, type, level, seriesId, mode, accField } = value;
  const event: StoredEvent = { index, timestamp: at, entropy, type, level, data };
  if (seriesId !== undefined) {
    event.seriesId = seriesId;
    event.seriesMode = mode!;
    if (accField !== undefined) event.accField = accField;
  }
  return event;
}
