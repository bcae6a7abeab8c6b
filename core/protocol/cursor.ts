/**
 * Where a reader stands in a task's log. Opaque to clients; what it means:
 *
 * - `exact`: the reader has everything through `index`.
 * - `partial`: the reader is in the middle of a collapsed replay. It has the plain events through
 *   `index` and the snapshots of those series whose newest event is at or before `index`. It must
 *   be given collapsed series again, without the plain events it has.
 * - `done`: the reader has been told that the task ended.
 */
export interface Cursor {
  /** See {@linkcode Cursor}. */
  kind: "exact" | "partial" | "done";
  /** Names this life of the task id: a task that is deleted and created again has another. */
  incarnation: string;
  /** Index of the newest event that counts as seen, -1 before the first. */
  index: number;
}

const MARK = { exact: "e", partial: "p", done: "d" } as const;
const KIND = { e: "exact", p: "partial", d: "done" } as const;
const PATTERN = /^([a-z0-9]{4,32})-([epd])(0|[1-9][0-9]{0,12})$/;

/** Writes a cursor as it travels in `id:` and `Last-Event-ID`. */
export function encodeCursor({ kind, incarnation, index }: Cursor): string {
  // Shifted by one, so that "before the first event" needs no sign.
  return `${incarnation}-${MARK[kind]}${index + 1}`;
}

/** Reads a cursor, or returns `undefined` when `text` is not one. */
export function decodeCursor(text: string): Cursor | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, incarnation, mark, shifted] = match as unknown as [
    string,
    string,
    "e" | "p" | "d",
    string,
  ];
  return { kind: KIND[mark], incarnation, index: Number(shifted) - 1 };
}
