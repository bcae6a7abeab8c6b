import type { Said } from "./protocol.ts";

/** The part of `navigator.locks` that is used. */
export interface Locks {
  /** Calls `use` when the lock is free, or at once, and holds it until `use` is done. */
  request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    use: () => Promise<void>,
  ): Promise<void>;
}

/** Browser functions by which tabs share a connection. */
export interface SharePlatform {
  /** One tab at a time has the connection. */
  locks: Locks;
  /** Tells the other tabs what comes. */
  BroadcastChannel: typeof BroadcastChannel;
}

/** This page cannot share after all, e.g. since it is a frame without an origin. */
export class Unshareable extends Error {}

/** Says something to all other channels of a name, and throws {@linkcode Unshareable} if it cannot. */
export function post(channel: BroadcastChannel, said: Said): void {
  try {
    channel.postMessage(said);
  } catch {
    throw new Unshareable();
  }
}

/** Returns the functions of this page; `undefined` if one is missing, as on pages without TLS. */
export function sharePlatform(): SharePlatform | undefined {
  const { navigator, BroadcastChannel } = globalThis as Partial<typeof globalThis>;
  const locks = (navigator as { locks?: Locks } | undefined)?.locks;
  // Names are hashed, which is bound to the same conditions as locks.
  if (!locks || !BroadcastChannel || !globalThis.crypto?.subtle) return undefined;
  return { locks, BroadcastChannel };
}

/** A name that no other tab has. */
export function newName(): string {
  return crypto.randomUUID();
}
