import type { TabMessage } from "./protocol.ts";
import type { Origin } from "./kept_messages.ts";
import { KeptMessages } from "./kept_messages.ts";
import type { Follow, FollowRequest } from "../follow.ts";
import { onAbort } from "@taskcast/core/protocol";
import type { SharePlatform } from "./platform.ts";
import { newName, post, Unshareable } from "./platform.ts";

/** Parameters of {@linkcode lead}. */
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
 * arrive, so no reader delays the others. Continues to answer requests to join after the end of the
 * task. Resolves when the signal aborts.
 *
 * @throws {TaskcastHttpError} If the server refuses for good.
 */
export async function lead(
  { name, platform, follow, request, origin, maxBufferedChars }: Leadership,
): Promise<void> {
  const channel = new platform.BroadcastChannel(name);
  const send = (tabMessage: TabMessage) => post(channel, tabMessage);
  const term = newName();
  const kept = new KeptMessages(origin, maxBufferedChars);
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind !== "join") return;
    const { from: to, standing } = data;
    const items = kept.after(standing, term);
    try {
      if (items !== undefined) send({ kind: "backlog", to, term, n: kept.n, items });
      else send({ kind: "unserved", to, term, after: kept.oldest?.index });
    } catch (error) {
      // Without an answer, the asking tab takes over.
      if (!(error instanceof Unshareable)) throw error;
    }
  };
  try {
    const { signal } = request;
    send({ kind: "lead", term });
    const messages = follow({
      ...request,
      onReconnect: (error, delayMs) =>
        send({ kind: "trouble", term, text: String(error), delayMs }),
    });
    for await (const message of messages) {
      if (signal.aborted) return; // Another tab leads now.
      const { value: _, ...raw } = message; // Tabs with other versions parse the data themselves.
      send({ kind: "message", term, ...kept.add(raw) });
    }
    // Everything was sent, but any tab, including this one, may request it again.
    await new Promise<void>((resolve) => onAbort(signal, resolve));
  } finally {
    channel.onmessage = null;
    try {
      send({ kind: "end", term });
    } finally {
      channel.close();
    }
  }
}
