import type { TabMessage } from "./protocol.ts";

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

/** Browser features that sharing a connection needs. */
export interface SharePlatform {
  /** Lets one tab at a time hold the connection. */
  locks: Locks;
  /** Sends messages to the other tabs. */
  BroadcastChannel: typeof BroadcastChannel;
}

/** This page cannot share although the features exist, e.g. a frame without an origin. */
export class Unshareable extends Error {}

/** Sends a message to the other tabs. @throws {Unshareable} If it cannot be sent. */
export function post(channel: BroadcastChannel, tabMessage: TabMessage): void {
  try {
    channel.postMessage(tabMessage);
  } catch {
    throw new Unshareable();
  }
}

/** Returns the features of this page; `undefined` if one is missing, as on pages without TLS. */
export function sharePlatform(): SharePlatform | undefined {
  const { navigator, BroadcastChannel } = globalThis as Partial<typeof globalThis>;
  const locks = (navigator as { locks?: Locks } | undefined)?.locks;
  // `subtle` hashes the name of the lock and the channel.
  if (!locks || !BroadcastChannel || !globalThis.crypto?.subtle) return undefined;
  return { locks, BroadcastChannel };
}

/** Returns a name that no other tab has. */
export function newName(): string {
  return crypto.randomUUID();
}
