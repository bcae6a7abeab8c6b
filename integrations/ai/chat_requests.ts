import type { ErrorBody } from "@taskcast/core/protocol";
import { isVerdict, TaskcastHttpError } from "@taskcast/client/http";
import type { ResumeQuery } from "./answer_names.ts";

/** A value, or a function that returns it. */
export type Resolvable<T> = T | PromiseLike<T> | (() => T | PromiseLike<T>);

/** Sends requests, as `fetch` does. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** Options that the AI SDK may pass with a message. */
export interface ChatRequestOptions {
  /** Headers of this request. */
  headers?: Record<string, string> | Headers;
  /** Fields of the body of this request. */
  body?: object;
  /** Value for `prepareSendMessagesRequest` and `prepareReconnectToStreamRequest`. */
  metadata?: unknown;
}

/** The result of preparing a request. */
export interface PreparedRequest {
  /** URL of the request. */
  api?: string;
  /** Headers that replace those of the transport. */
  headers?: HeadersInit;
  /** Cookie policy of requests. */
  credentials?: RequestCredentials;
}

/** Input for preparing a request. */
export interface RequestToPrepare {
  /** The chat. */
  id: string;
  /** The transport's own `api`. */
  api: string;
  /** Fields that the transport and the call add to the body. */
  // deno-lint-ignore no-explicit-any -- The AI SDK's type.
  body: Record<string, any> | undefined;
  /** Headers of the transport and the call. */
  headers: HeadersInit | undefined;
  /** The transport's `credentials`. */
  credentials: RequestCredentials | undefined;
  /** The call's `metadata`. */
  requestMetadata: unknown;
}

/** Input for preparing a message. */
export interface MessageToPrepare<Message> extends RequestToPrepare {
  /** All messages of the chat, the newest last. */
  messages: Message[];
  /** The user's action. */
  trigger: "submit-message" | "regenerate-message";
  /** The message that is regenerated or edited. */
  messageId: string | undefined;
}

/** URLs of a chat's routes, and options of requests: the options of the AI SDK's transport. */
export interface ChatRequestsOptions<Message> {
  /** URL to which messages are posted. @default {"/api/chat"} */
  api?: string;
  /** Cookie policy of requests. @default {"same-origin"} */
  credentials?: Resolvable<RequestCredentials>;
  /** Headers sent with every request. */
  headers?: Resolvable<Record<string, string> | Headers>;
  /** Fields added to the body of every message. */
  body?: Resolvable<object>;
  /** Sends requests. @default the browser's own */
  fetch?: Fetch;
  /** Returns the body of a message, and the URL to post it to. @default all messages of the chat */
  prepareSendMessagesRequest?: (
    message: MessageToPrepare<Message>,
  ) => (PreparedRequest & { body: object }) | PromiseLike<PreparedRequest & { body: object }>;
  /** Returns the URL from which an answer is resumed. @default `<api>/<id>/stream` */
  prepareReconnectToStreamRequest?: (
    request: RequestToPrepare,
  ) => PreparedRequest | PromiseLike<PreparedRequest>;
  /** Returns the URL at which an answer is stopped. @default `<api>/<id>` */
  prepareStopRequest?: (
    request: RequestToPrepare,
  ) => PreparedRequest | PromiseLike<PreparedRequest>;
}

/** A message to send. */
export interface SentMessage<Message> extends ChatRequestOptions {
  /** The chat. */
  chatId: string;
  /** All messages of the chat, the newest last. */
  messages: Message[];
  /** The user's action. */
  trigger: "submit-message" | "regenerate-message";
  /** The message that is regenerated or edited. */
  messageId: string | undefined;
}

/** Sends the requests to the routes of a chat. */
export class ChatRequests<Message> {
  readonly #options: ChatRequestsOptions<Message>;
  readonly #api: string;

  /** Creates the object. Sends nothing yet. */
  constructor(options: ChatRequestsOptions<Message>) {
    this.#options = options;
    this.#api = options.api ?? "/api/chat";
  }

  /** Returns a key that identifies a chat on the page. */
  keyOf(chatId: string): string {
    return `${this.#api} ${chatId}`;
  }

  /** Posts a message. @returns The response. @throws {Error} If it is refused. */
  async send(
    { chatId, messages, trigger, messageId, ...call }: SentMessage<Message>,
    signal: AbortSignal,
  ): Promise<Response> {
    const base = await this.#base(chatId, call);
    const own = { ...base.body, id: chatId, messages, trigger, messageId };
    const prepare = this.#options.prepareSendMessagesRequest;
    const { body, ...prepared }: PreparedRequest & { body: object } =
      await prepare?.({ ...base, messages, trigger, messageId }) ?? { body: own };
    const headers = new Headers(prepared.headers ?? base.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    const post = { ...prepared, headers };
    return await this.#fetch("POST", this.#api, base, post, signal, JSON.stringify(body));
  }

  /**
   * Requests an answer from its beginning. @returns The response, or a 204. @throws {Error} If it
   * is refused.
   */
  async resume(
    chatId: string,
    query: ResumeQuery,
    call: ChatRequestOptions,
    signal: AbortSignal,
  ): Promise<Response> {
    const base = await this.#base(chatId, call);
    const prepared = await this.#options.prepareReconnectToStreamRequest?.(base) ?? {};
    const api = withQuery(prepared.api ?? below(this.#api, `${segment(chatId)}/stream`), query);
    return await this.#fetch("GET", api, base, { ...prepared, api }, signal);
  }

  /** Stops the answers of a chat. @throws {Error} If it is refused. */
  async stop(chatId: string): Promise<void> {
    const base = await this.#base(chatId, {});
    const prepared = await this.#options.prepareStopRequest?.(base) ?? {};
    const response = await this.#fetch("DELETE", below(this.#api, segment(chatId)), base, prepared);
    await response.body?.cancel();
  }

  async #base(chatId: string, call: ChatRequestOptions): Promise<RequestToPrepare> {
    const { headers, body, credentials } = this.#options;
    const all = new Headers(await resolved(headers));
    new Headers(call.headers).forEach((value, name) => all.set(name, value));
    return {
      id: chatId,
      api: this.#api,
      body: { ...await resolved(body), ...call.body },
      headers: Object.fromEntries(all),
      credentials: await resolved(credentials),
      requestMetadata: call.metadata,
    };
  }

  async #fetch(
    method: string,
    url: string,
    base: RequestToPrepare,
    prepared: PreparedRequest,
    signal?: AbortSignal,
    body?: string,
  ): Promise<Response> {
    const {
      api = url,
      headers = base.headers,
      credentials = base.credentials,
    } = prepared;
    // Looked up for each call, since pages may replace the global one.
    const send = this.#options.fetch ?? globalThis.fetch;
    const response = await send(api, { method, headers, credentials, signal, body });
    if (!response.ok) throw await refusalOf(response);
    if (isPage(response)) {
      await response.body?.cancel();
      // Handled like a lost connection, which the AI SDK recognizes by "network error".
      throw new TypeError("network error: a page came instead of the chat's answer");
    }
    return response;
  }
}

async function resolved<T>(value: Resolvable<T> | undefined): Promise<T | undefined> {
  return await (typeof value === "function" ? (value as () => T | PromiseLike<T>)() : value);
}

/** Returns a URL with a path appended; the URL may have a query. */
function below(api: string, path: string): string {
  const end = api.search(/[?#]/);
  const base = end === -1 ? api : api.slice(0, end);
  return `${base.replace(/\/$/, "")}/${path}${end === -1 ? "" : api.slice(end)}`;
}

function withQuery(api: string, query: ResumeQuery): string {
  const params = new URLSearchParams(
    Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  if (params.size === 0) return api;
  const [address, fragment] = api.split("#", 2) as [string, string | undefined];
  const separator = address.includes("?") ? "&" : "?";
  return `${address}${separator}${params}${fragment === undefined ? "" : `#${fragment}`}`;
}

/**
 * Returns a chat's id as a path segment. @throws {TypeError} If the id is "." or "..".
 */
function segment(chatId: string): string {
  if (chatId === "." || chatId === "..") throw new TypeError(`"${chatId}" cannot be a chat's id`);
  return encodeURIComponent(chatId);
}

/**
 * Returns whether a response is an HTML page, e.g. of a captive portal or a sign-in form. The routes
 * of a chat never send one.
 */
function isPage({ headers }: Response): boolean {
  return headers.get("content-type")?.includes("html") ?? false;
}

/** Returns the error of an unsuccessful response. */
async function refusalOf(response: Response): Promise<Error> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    // Not compared with a list, so that a page understands a newer server.
    if (/^[A-Z_]+$/.test(error.code)) {
      const isOurs = isVerdict(response.status, error.code);
      return isOurs ? new TaskcastHttpError(response, error) : new Error(error.message);
    }
  } catch {
    // Not our JSON.
  }
  const message = isPage(response) || text === "" ? `The server answered ${response.status}` : text;
  return new Error(message.slice(0, 1000));
}
