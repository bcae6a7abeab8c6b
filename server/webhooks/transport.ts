import { Buffer } from "node:buffer";
import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import http from "node:http";
import https from "node:https";
import type { WebhookRequest, WebhookResponse } from "@taskcast/core";
import { parseRetryAfter, startTimer } from "@taskcast/core/protocol";
import { isPublicAddress, REFUSED } from "./addresses.ts";
import { OriginAgents } from "./origin_agents.ts";

/** Posts to allowed addresses. */
export interface Transport {
  /**
   * @throws {Error} If there is no answer. The message gives the reason without the address, which
   * may be secret.
   */
  post(request: WebhookRequest): Promise<WebhookResponse>;
  /** Closes connections. */
  close(): void;
}

/** Maximum number of bytes read of an answer, whose content is ignored. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Returns a transport that opens connections on demand and keeps them.
 *
 * @param isAllowed Returns whether a host may have a private address.
 */
export function openTransport(
  { isAllowed, maxSockets }: { isAllowed: (host: string) => boolean; maxSockets: number },
): Transport {
  const agents = new OriginAgents(maxSockets);

  function post({ url: address, headers, body, timeoutMs, signal }: WebhookRequest) {
    const url = new URL(address);
    const bytes = Buffer.from(body);
    return new Promise<WebhookResponse>((resolve, reject) => {
      const { agent, release } = agents.take(url);
      let answer: WebhookResponse | undefined;
      let isSettled = false;
      // Rejects by itself: a destroyed request reports nothing in some states. An answer that has
      // arrived remains the outcome, however the rest of its body ends.
      const settle = (error: Error) => {
        if (isSettled) return;
        isSettled = true;
        forgetTimer();
        signal.removeEventListener("abort", abort);
        release();
        if (answer === undefined) reject(error);
        else resolve(answer);
      };
      const abandon = (why: string) => {
        settle(new Error(why));
        request.destroy();
      };
      const forgetTimer = startTimer(
        timeoutMs,
        () => abandon(`no answer within ${timeoutMs} ms`),
      );
      const abort = () => abandon("the server stops");
      signal.addEventListener("abort", abort);
      const request = (url.protocol === "https:" ? https : http).request(url, {
        method: "POST",
        headers: { ...headers, "content-length": bytes.length },
        agent,
        lookup: isAllowed(url.hostname) ? lookup : publicLookup,
      } as http.RequestOptions);
      request.on("response", (response) => {
        answer = answerOf(response);
        let read = 0;
        response.on("data", (chunk: Uint8Array) => {
          read += chunk.length;
          if (read > MAX_ANSWER_BYTES) response.destroy();
        });
        response.on("error", () => {});
        response.on("close", () => settle(CLOSED));
      });
      request.on("error", (error) => settle(new Error(reasonOf(error), { cause: error })));
      request.on("close", () => settle(CLOSED));
      if (signal.aborted) abort();
      else request.end(bytes);
    });
  }

  return { post, close: () => agents.close() };
}

/** A request that ended without an answer and without an error. */
const CLOSED = new Error("the connection broke");

type LookupCallback = (
  error: Error | null,
  address?: string | LookupAddress[],
  family?: number,
) => void;

/** Resolves a host's addresses, and fails unless all are public. */
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
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"]);
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}

/** Describes a failure without addresses, which may be secret. */
function reasonOf(error: Error): string {
  const { code } = error as { code?: string };
  switch (code) {
    case "ECONNREFUSED":
      return "nothing listens there";
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
