/**
 * A reader's position in a task's log. Opaque to clients. Its kinds:
 *
 * - `exact`: the reader has everything through `index`.
 * - `partial`: the reader is in the middle of a collapsed replay. It has the standalone events through
 *   `index` and the snapshots of the series whose newest event is at or before `index`. It needs the
 *   collapsed series again, but not the standalone events it has.
 * - `done`: the reader knows that the task ended.
 */
export interface Cursor {
  /** The kind of position. */
  kind: "exact" | "partial" | "done";
  /** The incarnation of the task; a task that is deleted and created again has a new one. */
  incarnation: string;
  /** Index of the newest event that counts as seen; -1 before the first. */
  index: number;
  /**
   * Identifies the event at `index`; see {@linkcode fingerprintOf}. A store that was restored to an
   * earlier state eventually has a different event there. Left out before the first event, when it is
   * unknown, and in cursors of version 0.1.0.
   */
  fingerprint?: number;
}

const MARK = { exact: "e", partial: "p", done: "d" } as const;
const KIND = { e: "exact", p: "partial", d: "done" } as const;
const PATTERN = /^([a-z0-9]{4,32})-([epd])(0|[1-9][0-9]{0,12})(?:-([a-z0-9]{5}))?$/;

/** Number of distinct fingerprints: 36 ** 5, written out so that bundlers can drop it. */
const FINGERPRINTS = 60_466_176;

/**
 * Returns the fingerprint that a cursor carries of its event: about 26 of the event's 40 random bits.
 * Cursors are sent with every event and must be short. A different event matches by chance once in 60
 * million.
 */
export function fingerprintOf(entropy: number): number {
  // Equal to the remainder, since 40 bits are exact here; the operator takes twice as long.
  return entropy - Math.floor(entropy / FINGERPRINTS) * FINGERPRINTS;
}

const CODES = /* @__PURE__ */ Uint8Array.from(
  "0123456789abcdefghijklmnopqrstuvwxyz",
  (digit) => digit.charCodeAt(0),
);

/**
 * Encodes a fingerprint with its hyphen in one call. `toString(36)` and `padStart()` take twice as long
 * and twice the memory.
 */
function fingerprintText(fingerprint: number): string {
  const high = (fingerprint / 46_656) | 0; // 36 ** 3
  const low = fingerprint - high * 46_656;
  const first = (high / 36) | 0;
  const middle = (low / 36) | 0;
  const third = (middle / 36) | 0;
  return String.fromCharCode(
    45,
    CODES[first]!,
    CODES[high - first * 36]!,
    CODES[third]!,
    CODES[middle - third * 36]!,
    CODES[low - middle * 36]!,
  );
}

/** The prefix of the newest cursor: consecutive cursors usually have the same kind and task. */
let begun: { kind: Cursor["kind"]; incarnation: string; text: string } | undefined;

/** Writes a cursor as it travels in `id:` and `Last-Event-ID`. */
export function encodeCursor({ kind, incarnation, index, fingerprint }: Cursor): string {
  if (begun?.kind !== kind || begun.incarnation !== incarnation) {
    begun = { kind, incarnation, text: `${incarnation}-${MARK[kind]}` };
  }
  // Shifted by one, so that "before the first event" needs no sign.
  const shifted = `${index + 1}`;
  // The end is built first, because engines keep the parts of a concatenated string alive with it.
  return begun.text +
    (fingerprint === undefined ? shifted : shifted + fingerprintText(fingerprint));
}

/** Reads a cursor, or returns `undefined` when `text` is not one. */
export function decodeCursor(text: string): Cursor | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, incarnation, mark, shifted, fingerprint] = match as unknown as [
    string,
    string,
    "e" | "p" | "d",
    string,
    string?,
  ];
  const cursor: Cursor = { kind: KIND[mark], incarnation, index: Number(shifted) - 1 };
  if (fingerprint !== undefined) cursor.fingerprint = parseInt(fingerprint, 36);
  return cursor;
}
