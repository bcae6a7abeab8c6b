import type { WebhookSender } from "@taskcast/core";
import { isPublicAddress, literalAddress, REFUSED } from "./addresses.ts";
import type { Transport } from "./transport.ts";

/** Options for {@linkcode createWebhookSender}. */
export interface WebhookSenderOptions {
  /**
   * Hosts that may have an address of a private network or of this machine, as they stand in the
   * webhook's URL; `true`: all. @default none
   */
  allowPrivate?: boolean | readonly string[];
  /** Connections kept open while nothing is sent, over all receivers. @default {64} */
  maxSockets?: number;
}

/** A sender that can be given up. */
export interface ClosableWebhookSender extends WebhookSender {
  /** Closes connections. */
  close(): void;
}

/**
 * Sends webhooks over HTTP, and to nobody inside: an address is checked when the connection is
 * made, so a name that leads elsewhere by then is refused, too. Redirects are not followed.
 *
 * For Deno, Node and Bun.
 *
 * @example
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createWebhookSender } from "@taskcast/server/webhooks";
 *
 * const sender = createWebhookSender();
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 *   webhooks: { sender },
 * });
 * await engine.createTask({ webhooks: [{ url: "https://example.com/hook", secret: "whsec_c2VjcmV0" }] });
 * await engine.close();
 * sender.close();
 * ```
 */
export function createWebhookSender(options: WebhookSenderOptions = {}): ClosableWebhookSender {
  const { allowPrivate = false, maxSockets = 64 } = options;
  const isAllowed = (host: string) =>
    allowPrivate === true || (Array.isArray(allowPrivate) && allowPrivate.includes(host));
  let transport: Promise<Transport> | undefined;
  // `node:http` is 12 MiB that a server without webhooks need not hold.
  const open = async () =>
    (await import("./transport.ts")).openTransport({ isAllowed, maxSockets });

  function refusal(address: string): string | undefined {
    const url = new URL(address);
    if (isAllowed(url.hostname)) return undefined;
    const literal = literalAddress(url);
    if (literal !== undefined) return isPublicAddress(literal) ? undefined : REFUSED;
    const isLocal = /(^|\.)(localhost|local|internal)\.?$/.test(url.hostname);
    return isLocal ? REFUSED : undefined;
  }

  return {
    refusal,
    async send(request) {
      const why = refusal(request.url);
      if (why !== undefined) throw new Error(`The address ${why}`);
      transport ??= open();
      return await (await transport).post(request);
    },
    close: () => void transport?.then((opened) => opened.close()),
  };
}
