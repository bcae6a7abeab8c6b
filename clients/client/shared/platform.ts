import type { Said } from "./protocol.ts";

/** The part of `navigator.locks` that is used. */
export interface Locks {
  /**
   * Calls `use` when the lock is free, or at once with `steal`, and holds the lock until `use` is
   * done.
   */
  request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    use: () => Promise<void>,
  ): Promise<void>;
}

/** Browser features by which tabs share a connection. */
export interface SharePlatform {
  /** Lets one tab at a time hold the connection. */
  locks: Locks;
  /** Sends messages to the other tabs. */
  BroadcastChannel: typeof BroadcastChannel;
}

/** This page cannot share after all, e.g. because it is a frame without an origin. */
export class Unshareable extends Error {}

/** Sends a message to all other channels of a name. @throws {Unshareable} If it cannot. */
export function post(channel: BroadcastChannel, said: Said): void {
  try {
    channel.postMessage(said);
  } catch {
    throw new Unshareable();
  }
}

/** Returns the features of this page; `undefined` if one is missing, as on pages without TLS. */
export function sharePlatform(): SharePlatform | undefined {
  const { navigator, BroadcastChannel } = globalThis as Partial<typeof globalThis>;
  const locks = (navigator as { locks?: Locks } | undefined)?.locks;
  // Names are hashed, which needs the same secure context as locks.
  if (!locks || !BroadcastChannel || !globalThis.crypto?.subtle) return undefined;
  return { locks, BroadcastChannel };
}

/** Returns a name that no other tab has. */
export function newName(): string {
  return crypto.randomUUID();
}
