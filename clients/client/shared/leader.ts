import type { Said } from "./protocol.ts";
import type { Origin } from "./remembered.ts";
import { Remembered } from "./remembered.ts";
import type { Follow, FollowRequest } from "../follow.ts";
import { onAbort } from "@taskcast/core/protocol";
import type { SharePlatform } from "./platform.ts";
import { newName, post, Unshareable } from "./platform.ts";

/** Parameters of leading. */
export interface Leadership {
  /** The channel's name. */
  name: string;
  platform: SharePlatform;
  /** Follows the task over connections of this tab. */
  follow: Follow;
  /** Position of this tab, at which the connection begins. */
  request: FollowRequest & { signal: AbortSignal };
  origin: Origin;
  maxBufferedChars: number;
}

/**
 * Holds the connection and sends its messages to all tabs, including this one, as fast as they
 * arrive: no reader delays the others. Continues to answer after the end of the task. Resolves when
 * the signal aborts.
 *
 * @throws {TaskcastHttpError} If the server refuses for good.
 */
export async function lead(
  { name, platform, follow, request, origin, maxBufferedChars }: Leadership,
): Promise<void> {
  const channel = new platform.BroadcastChannel(name);
  const say = (said: Said) => post(channel, said);
  const term = newName();
  const remembered = new Remembered(origin, maxBufferedChars);
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data.kind !== "join") return;
    const { from: to, standing } = data;
    const items = remembered.after(standing, term);
    try {
      if (items !== undefined) say({ kind: "backlog", to, term, n: remembered.n, items });
      else say({ kind: "unserved", to, term, after: remembered.oldest?.index });
    } catch (error) {
      if (!(error instanceof Unshareable)) throw error; // Otherwise the asking tab takes over.
    }
  };
  try {
    const { signal } = request;
    say({ kind: "lead", term });
    const messages = follow({
      ...request,
      onReconnect: (error, delayMs) => say({ kind: "trouble", term, text: String(error), delayMs }),
    });
    for await (const message of messages) {
      if (signal.aborted) return; // A tab that lost its turn must not send any more.
      const { value: _, ...raw } = message; // Other tabs may run other versions.
      say({ kind: "message", term, ...remembered.add(raw) });
    }
    // Everything was sent, but a tab may have to ask for it again, this one included.
    await new Promise<void>((resolve) => onAbort(signal, resolve));
  } finally {
    channel.onmessage = null;
    try {
      say({ kind: "end", term });
    } finally {
      channel.close();
    }
  }
}
