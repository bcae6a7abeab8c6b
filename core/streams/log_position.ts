import type { Cursor } from "../protocol/cursor.ts";
import { encodeCursor, fingerprintOf } from "../protocol/cursor.ts";

/** A place in a log: everything through an index. */
export interface LogPosition {
  /** The index; -1 is before the first event. */
  through: number;
  /** The entropy of the event there, by which it is recognised; left out where it is not known. */
  entropy?: number;
}

/** The cursor of a reader who is at a place in this life of a task. */
export function cursorAt(
  kind: Cursor["kind"],
  incarnation: string,
  { through: index, entropy }: LogPosition,
): string {
  return entropy === undefined
    ? encodeCursor({ kind, incarnation, index })
    : encodeCursor({ kind, incarnation, index, fingerprint: fingerprintOf(entropy) });
}
