import type {
  EventDraft,
  EventKind,
  StoredDueTimes,
  StoredEvent,
  WorkSchedule,
} from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** A long text stored in chunks. */
export interface BlobRef {
  /** Name of the group of texts that were stored with it. */
  blob: string;
  /** Number of the text in the group. */
  no: number;
  /** Length in characters. */
  chars: number;
}

/** A text, or a reference to it. */
export type Text = string | BlobRef;

/** The state of a task. Every change of the task writes it. */
export interface Head {
  /** Storage id: the name under which the keys of this incarnation are stored. */
  life: string;
  incarnation: string;
  version: number;
  status: TaskStatus;
  hooked: boolean;
  /** Number of events in the log. */
  length: number;
  /**
   * Entropy of the newest event, valid only if the index is still its index: version 0.1.0 does not
   * update it.
   */
  newest?: { index: number; entropy: number };
  /** Characters of the data of remaining events. */
  dataChars: number;
  /** The timestamp of the newest event. */
  lastMs: number;
  trimmedThrough?: number;
  /** Number of event kinds so far; 0 stands for all standalone events. */
  classes: number;
  due: StoredDueTimes;
  /** The token of the task's lease. */
  lease?: string;
  marks: WorkSchedule;
  /** The lists that contain the task, besides that of all. */
  listed: { createdAt: number; type?: string; tags: string[] };
  /** Reference to the record, if it is long. */
  record?: BlobRef;
  /** Recent writers with the number of the last operation of each, latest last. */
  writers?: (readonly [writer: string, operation: number])[];
  /** An accepted commit that is being written out, because it is too big for one operation. */
  wide?: { drafts: BlobRef; nowMs: number; next: number };
}

/** The closed id of a released task. */
export interface ClosedId {
  incarnation: string;
  untilMs: number;
}

/** Data to remove once no reader can need it. */
export type Garbage =
  /** Keys of an incarnation with these prefixes; without any, all its keys. */
  & { life: string; prefixes: GarbagePrefix[] }
  /** Schedules a value that its writer can no longer use. */
  & { taken?: true };

/** A key prefix within an incarnation. */
export type GarbagePrefix = readonly (string | number)[];

/** A stored event; its index is in its key. */
export interface EventValue {
  at: number;
  entropy: number;
  type: string;
  level: Level;
  data: Text;
  seriesId?: string;
  mode?: SeriesMode;
  accField?: string;
  /** Its class, and its rank in the class. */
  classNo: number;
  place: number;
}

/** A class: a type and level, separate for standalone events. */
export interface ClassValue {
  no: number;
  total: number;
}

/** Kind of a series, and the place of its fold. */
export interface SeriesValue {
  mode: SeriesMode;
  accField?: string;
  /** Index of its newest event; absent for keep-all, which has no fold. */
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
  /** Number of the text; increases whenever the text starts again. */
  era: number;
  /** Number of complete parts. */
  parts: number;
  /** Text behind them. @default the value of the newest event */
  tail?: string;
}

/** Progress of a producer. */
export interface ProducerValue {
  epoch: number;
  nextSeq: number;
  /** The last sequence numbers that are adjacent in the log. */
  run: RunValue & { seq: number };
}

/** Sequence numbers that are adjacent in the log. */
export interface RunValue {
  index: number;
  count: number;
}

/** A draft whose long texts are stored separately. */
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
  /** Set while a commit is being written out: the folds are ahead of the log. */
  wide?: true;
}

/** Returns the number of characters of a text. */
export function charsOf(text: Text): number {
  return typeof text === "string" ? text.length : text.chars;
}

/** Returns the event of a value whose data has been read. */
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
