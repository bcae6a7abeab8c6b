import type { Cursor } from "@taskcast/core/protocol";
import { decodeCursor } from "@taskcast/core/protocol";
import type { SseMessage } from "../sse_messages.ts";

/** A message of the leader's stream; `n` counts them from 1 within a term. */
export interface Numbered {
  n: number;
  message: SseMessage;
}

/** Where a follower stands. */
export interface Standing {
  /** Request that it would send, with its cursor. */
  start: string;
  /** Its cursor, if that may be compared with places in other streams. */
  cursor?: string;
  /** The term that it has followed last, and how far. */
  term?: string;
  n: number;
}

/** Messages between tabs. */
export type Said =
  /** A tab leads from now on. */
  | { kind: "lead"; term: string }
  /** A message of the stream. */
  | { kind: "message"; term: string } & Numbered
  /** The connection failed and is made again. */
  | { kind: "trouble"; term: string; text: string; delayMs: number }
  /** The tab leads no more. */
  | { kind: "end"; term: string }
  /** Asks for what comes after a place. */
  | { kind: "join"; from: string; standing: Standing }
  /** Answers it: what is remembered after that place, all through `n`. */
  | { kind: "backlog"; to: string; term: string; n: number; items: Numbered[] }
  /** Answers it: that is not remembered; only what comes after an index is. */
  | { kind: "unserved"; to: string; term: string; after?: number };

/** Reads a cursor, if there is one. */
export function decode(cursor: string | undefined): Cursor | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor);
}

/**
 * Index of a cursor from which any stream of the task can be gone on with: that of a reader who has
 * everything through it. In the middle of a replay only its own stream goes on.
 */
export function exactIndex(cursor: string | undefined, incarnation?: string): number | undefined {
  const decoded = decode(cursor);
  if (decoded?.kind !== "exact") return undefined;
  if (incarnation !== undefined && decoded.incarnation !== incarnation) return undefined;
  return decoded.index;
}

/** Returns true if two cursors are at the same index of different logs. */
export function isOtherLog(a: string | undefined, b: string | undefined): boolean {
  const first = decode(a);
  const second = decode(b);
  if (first?.fingerprint === undefined || second?.fingerprint === undefined) return false;
  return first.incarnation === second.incarnation && first.index === second.index &&
    first.fingerprint !== second.fingerprint;
}
