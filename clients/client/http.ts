/**
 * What the clients of Taskcast share: requests with tokens, typed errors, waits between attempts.
 *
 * @module
 */
import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { ERROR_CODES, TaskcastError } from "@taskcast/core/protocol";

export type { BackoffOptions } from "./backoff.ts";
export { assertBackoff, backoffMs, retryDelayMs, sleep, STABLE_MS } from "./backoff.ts";

/**
 * A token, or a function that gets one: called for each request, and once more with `refresh: true`
 * when the server refused the token.
 */
export type TokenSource = string | ((options: { refresh: boolean }) => string | Promise<string>);

/** Where the server is and how to speak to it. */
export interface HttpOptions {
  /** E.g. `http://localhost:3721`, or with the path under which Taskcast is mounted. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. @default none */
  token?: TokenSource;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Makes requests. @default the runtime's own */
  fetch?: typeof fetch;
}

/** An error that the server answered with. */
export class TaskcastHttpError extends TaskcastError {
  /** The HTTP status. */
  readonly status: number;
  /** Milliseconds after which the server wants to be asked again, if it said so. */
  readonly retryAfterMs?: number;

  /** The error that an answer tells of. @param response What the server answered. */
  constructor(response: Response, body: ErrorBody["error"]) {
    super(body.code, body.message, { details: body.details });
    this.status = response.status;
    this.retryAfterMs = retryAfterMs(response);
  }

  /** Whether the same request may succeed later. */
  get transient(): boolean {
    return isTransient(this.status);
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Sends requests to a Taskcast server. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #base: string;
  readonly #fetch: typeof fetch;

  /** Requests to one server. @throws {TypeError} If `baseUrl` is not a URL of HTTP. */
  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = assertHttpUrl(options.baseUrl).replace(/\/+$/, "");
    // Called as a method of something else, the browser's fetch refuses to work.
    this.#fetch = options.fetch ?? ((...args) => fetch(...args));
  }

  /** The URL of a path below the base, e.g. `/tasks`. */
  url(path: string, query: Record<string, string | number | boolean | undefined> = {}): string {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) params.set(name, String(value));
    }
    return this.#base + path + (params.size === 0 ? "" : `?${params}`);
  }

  /** Whether `fetch` was given as an option. */
  get hasOwnFetch(): boolean {
    return this.#options.fetch !== undefined;
  }

  /** Whether a token that was refused can be replaced by a fresh one. */
  get canRefreshToken(): boolean {
    return typeof this.#options.token === "function";
  }

  /** Whether requests carry something that could let them in. */
  get hasCredentials(): boolean {
    const { token, headers = {} } = this.#options;
    return token !== undefined || Object.keys(headers).length > 0;
  }

  /** What the server knows the caller by: the token that requests are sent with, and all headers. */
  async credentials(): Promise<{ token?: string; headers: Record<string, string> }> {
    const { headers = {} } = this.#options;
    return { token: await this.#token(false), headers };
  }

  /**
   * Sends a request, with the token; once more with a fresh one if the server refuses it.
   *
   * @param options.refreshToken Asks for a fresh token at once: a stream, which can be sent only
   * once, was refused before. @default {false}
   * @returns A response that is a success.
   * @throws {TaskcastHttpError} For every other response. Network errors pass as they are.
   */
  async request(
    url: string,
    init: RequestInit & { duplex?: "half" } = {},
    { refreshToken = false }: { refreshToken?: boolean } = {},
  ): Promise<Response> {
    let response = await this.#send(url, init, refreshToken);
    const canRepeat = init.duplex === undefined; // A stream can be sent once.
    if (response.status === 401 && this.canRefreshToken && canRepeat) {
      await response.body?.cancel();
      response = await this.#send(url, init, true);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** Sends JSON and reads JSON. See {@linkcode HttpClient.request}. */
  async json<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const init: RequestInit = { method, signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "content-type": "application/json" };
    }
    const response = await this.request(url, init);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  async #send(url: string, init: RequestInit, refresh: boolean): Promise<Response> {
    const all = new Headers(this.#options.headers);
    const bearer = await this.#token(refresh);
    if (bearer !== undefined) all.set("authorization", `Bearer ${bearer}`);
    new Headers(init.headers).forEach((value, name) => all.set(name, value));
    return await this.#fetch(url, { ...init, headers: all });
  }

  async #token(refresh: boolean): Promise<string | undefined> {
    const { token } = this.#options;
    return typeof token === "function" ? await token({ refresh }) : token;
  }
}

/**
 * Reads what went wrong, also from answers that something between here and the server gave.
 *
 * @throws {TypeError} If a refusal breaks off: then it is not known what was refused, and why.
 */
async function errorOf(response: Response): Promise<TaskcastHttpError> {
  const text = await response.text().catch((error) => {
    if (!isTransient(response.status)) throw error;
    return ""; // The status says enough: to try again.
  });
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (ERROR_CODES.includes(error.code)) return new TaskcastHttpError(response, error);
  } catch {
    // Not ours: told below by its status.
  }
  const codes: Record<number, ErrorCode> = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
    502: "STORE_UNAVAILABLE",
    503: "STORE_UNAVAILABLE",
    504: "STORE_UNAVAILABLE",
  };
  const code = codes[response.status] ?? (response.status < 500 ? "INVALID_INPUT" : "INTERNAL");
  const { pathname } = new URL(response.url || "http://unknown/");
  const message = `The server answered ${response.status} to ${pathname}`;
  return new TaskcastHttpError(response, { code, message });
}

/** Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date. */
function retryAfterMs({ headers }: Response): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - Date.now());
}

/**
 * The URL of the next page, if the answer's `Link` header (RFC 8288) names one.
 *
 * @throws {Error} If that is the page itself: to follow it would never end.
 */
export function nextPage(response: Response, requestUrl: string): string | undefined {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "");
  if (link === null) return undefined;
  const url = new URL(link[1]!, requestUrl).href;
  assertAdvances(requestUrl, url);
  return url;
}

/**
 * Requires that the next page is another one than this.
 *
 * @throws {Error} If both are the same.
 */
export function assertAdvances(page: string | undefined, next: string | undefined): void {
  if (next !== undefined && next === page) {
    throw new Error("The server names the page itself as the next one");
  }
}

/** A host and port alone are a URL, too ("localhost:" is its scheme), but none to ask anything of. */
function assertHttpUrl(baseUrl: string): string {
  if (!/^https?:\/\//i.test(baseUrl)) {
    throw new TypeError('"baseUrl" must begin with http:// or https://');
  }
  return new URL(baseUrl).href;
}
