import type { Cursor } from "../protocol/cursor.ts";
import { encodeCursor, fingerprintOf } from "../protocol/cursor.ts";

/** A position in a log: it includes every event through an index. */
export interface LogPosition {
  /** The index; -1 is before the first event. */
  through: number;
  /** The entropy of the event at that index, which identifies it; left out if unknown. */
  entropy?: number;
}

/** Returns the cursor of a reader at a position in this incarnation of a task. */
export function cursorAt(
  kind: Cursor["kind"],
  incarnation: string,
  { through: index, entropy }: LogPosition,
): string {
  return entropy === undefined
    ? encodeCursor({ kind, incarnation, index })
    : encodeCursor({ kind, incarnation, index, fingerprint: fingerprintOf(entropy) });
}
