import { Buffer } from "node:buffer";
import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import http from "node:http";
import https from "node:https";
import type { WebhookRequest, WebhookResponse, WebhookSender } from "@taskcast/core";
import { isPublicAddress, literalAddress } from "./addresses.ts";

/** Options for {@linkcode createWebhookSender}. */
export interface WebhookSenderOptions {
  /**
   * Hosts that may have an address of a private network or of this machine, as they stand in the
   * webhook's URL; `true`: all. @default none
   */
  allowPrivate?: boolean | readonly string[];
  /** Connections kept open at most, over all receivers. @default {64} */
  maxSockets?: number;
}

/** A sender that can be given up. */
export interface ClosableWebhookSender extends WebhookSender {
  /** Closes connections. */
  close(): void;
}

/** Bytes of an answer that are read; nothing in it is wanted. */
const MAX_ANSWER_BYTES = 64 * 1024;

const REFUSED = "leads to a private address, which this server does not send to";

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
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxTotalSockets: maxSockets }),
    "https:": new https.Agent({ keepAlive: true, maxTotalSockets: maxSockets }),
  };

  function refusal(address: string): string | undefined {
    const url = new URL(address);
    if (isAllowed(url.hostname)) return undefined;
    const literal = literalAddress(url);
    if (literal !== undefined) return isPublicAddress(literal) ? undefined : REFUSED;
    const isLocal = /(^|\.)(localhost|local|internal)\.?$/.test(url.hostname);
    return isLocal ? REFUSED : undefined;
  }

  function send({ url: address, headers, body, timeoutMs, signal }: WebhookRequest) {
    const url = new URL(address);
    const why = refusal(address);
    if (why !== undefined) return Promise.reject(new Error(`The address ${why}`));
    const protocol = url.protocol as keyof typeof agents;
    const bytes = Buffer.from(body);
    return new Promise<WebhookResponse>((resolve, reject) => {
      const request = (protocol === "https:" ? https : http).request(url, {
        method: "POST",
        headers: { ...headers, "content-length": bytes.length },
        agent: agents[protocol],
        lookup: isAllowed(url.hostname) ? lookup : publicLookup,
      } as http.RequestOptions);
      const giveUp = (why: string) => request.destroy(new Error(why));
      const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs} ms`), timeoutMs);
      const abort = () => giveUp("the server stops");
      signal.addEventListener("abort", abort);
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      request.on("response", (response) => {
        const answer = answerOf(response);
        let read = 0;
        response.on("data", (chunk: Uint8Array) => {
          read += chunk.length;
          if (read > MAX_ANSWER_BYTES) response.destroy();
        });
        // The status is known: how the rest ends does not matter.
        response.on("error", () => {});
        response.on("close", () => {
          end();
          resolve(answer);
        });
      });
      request.on("error", (error) => {
        end();
        reject(new Error(reasonOf(error), { cause: error }));
      });
      if (signal.aborted) abort();
      request.end(bytes);
    });
  }

  return {
    refusal,
    send,
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

type LookupCallback = (
  error: Error | null,
  address?: string | LookupAddress[],
  family?: number,
) => void;

/** Finds a host's addresses, and takes them only if all are public. */
function publicLookup(host: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error);
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new Error(`The address ${REFUSED}`));
    }
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
}

function answerOf(response: http.IncomingMessage): WebhookResponse {
  const status = response.statusCode ?? 0;
  const after = response.headers["retry-after"];
  if (after === undefined) return { status };
  // https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
  const ms = /^\d+$/.test(after) ? 1000 * Number(after) : Date.parse(after) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? { status, retryAfterMs: ms } : { status };
}

/** What went wrong, for people; without addresses, which may be secret. */
function reasonOf(error: Error): string {
  const { code } = error as { code?: string };
  switch (code) {
    case "ECONNREFUSED":
      return "nobody listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "there is no such host";
    case "ECONNRESET":
    case "EPIPE":
      return "the connection broke";
    default:
      return error.message === "" ? code ?? "it failed" : error.message.split("\n")[0]!;
  }
}
