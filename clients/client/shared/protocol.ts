import type { Cursor } from "@taskcast/core/protocol";
import { decodeCursor } from "@taskcast/core/protocol";
import type { SseMessage } from "../connection/sse_messages.ts";

/**
 * A message of the leader's stream. `n` numbers the messages of a term from 1. A term is the time
 * for which one tab leads, named by a random text.
 */
export interface Numbered {
  n: number;
  message: SseMessage;
}

/** Position of a follower, in its own stream and in the leader's. */
export interface Standing {
  /** Key of the start of its stream, which includes its cursor. */
  start: string;
  /** Its cursor, if any stream of the task can continue from it. */
  cursor?: string;
  /** The term that it followed last; `n` is the last message of that term. */
  term?: string;
  n: number;
}

/** A message between tabs. */
export type TabMessage =
  /** The sender leads from now on. */
  | { kind: "lead"; term: string }
  /** A message of the stream. */
  | { kind: "message"; term: string } & Numbered
  /** The connection failed and will be opened again. */
  | { kind: "trouble"; term: string; text: string; delayMs: number }
  /** The sender has stopped leading. */
  | { kind: "end"; term: string }
  /** Requests the messages after a position. */
  | { kind: "join"; from: string; standing: Standing }
  /** Answers `join` with the kept messages after that position, through `n`. */
  | { kind: "backlog"; to: string; term: string; n: number; items: Numbered[] }
  /**
   * Answers `join` if the messages after that position are not kept. Those after the index `after`
   * are.
   */
  | { kind: "unserved"; to: string; term: string; after?: number };

/** Decodes a cursor, if there is one. */
export function decode(cursor: string | undefined): Cursor | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor);
}

/**
 * Returns the index of a cursor from which any stream of the task can be continued, because its
 * reader has everything through that index. A cursor in the middle of a replay has none: only its
 * own stream continues it.
 */
export function exactIndex(cursor: string | undefined, incarnation?: string): number | undefined {
  const decoded = decode(cursor);
  if (decoded?.kind !== "exact") return undefined;
  if (incarnation !== undefined && decoded.incarnation !== incarnation) return undefined;
  return decoded.index;
}

/** Returns whether two cursors are at the same index of logs with different events there. */
export function isOtherLog(a: string | undefined, b: string | undefined): boolean {
  const first = decode(a);
  const second = decode(b);
  if (first?.fingerprint === undefined || second?.fingerprint === undefined) return false;
  return first.incarnation === second.incarnation && first.index === second.index &&
    first.fingerprint !== second.fingerprint;
}
