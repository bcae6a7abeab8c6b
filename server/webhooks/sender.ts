import type { WebhookSender } from "@taskcast/core";
import { isPublicAddress, literalAddress, REFUSED } from "./addresses.ts";
import type { Transport } from "./transport.ts";

/** Options for {@linkcode createWebhookSender}. */
export interface WebhookSenderOptions {
  /**
   * Hosts that may resolve to a private or local address, as written in the webhook's URL; `true`
   * allows all. @default none
   */
  allowPrivate?: boolean | readonly string[];
  /** Number of idle connections kept open, over all receivers. @default {64} */
  maxSockets?: number;
}

/** A sender that can be closed. */
export interface ClosableWebhookSender extends WebhookSender {
  /** Closes connections. */
  close(): void;
}

/**
 * Returns a sender of webhooks over HTTP that never connects to private addresses. The address is
 * checked when the connection is made, so a name that resolves to a private address by then is
 * refused, too. Redirects are not followed.
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
  // `node:http` takes 12 MiB, which a server without webhooks need not load.
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
