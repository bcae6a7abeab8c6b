/**
 * What the clients of Taskcast share: requests with tokens, typed errors, waits between attempts.
 *
 * @module
 */
import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { parseRetryAfter, TaskcastError } from "@taskcast/core/protocol";
import { baseUrlProblem } from "./base_url.ts";
import { refusedByBrowser, UnreachableError } from "./unreachable.ts";

export type { BackoffOptions } from "./backoff.ts";
export {
  assertBackoff,
  assertPositive,
  backoffMs,
  retryDelayMs,
  sleep,
  STABLE_MS,
} from "./backoff.ts";
export { baseUrlProblem } from "./base_url.ts";
export { UnreachableError } from "./unreachable.ts";

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

/** An answer that is an error: the server's, or that of something between here and the server. */
export class TaskcastHttpError extends TaskcastError {
  /** The HTTP status. */
  readonly status: number;
  /** Milliseconds after which the server wants to be asked again, if it said so. */
  readonly retryAfterMs?: number;
  /** The answer is not Taskcast's, e.g. that of a proxy, a firewall or a sign-in page. */
  readonly isForeign: boolean;

  /**
   * The error that an answer tells of.
   *
   * @param response What was answered.
   * @param body What a Taskcast server says of it. @default something else has answered
   */
  constructor(response: Response, body?: ErrorBody["error"]) {
    const { code, message, details } = body ?? foreign(response);
    super(code, message, { details });
    this.status = response.status;
    this.isForeign = body === undefined;
    this.retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  }

  /**
   * Whether the same request may succeed later. An answer that is not the server's says nothing of
   * what the server would answer.
   */
  get transient(): boolean {
    return this.isForeign || isTransient(this.status);
  }
}

/** Statuses that say by their definition that the same request may be sent again. */
function isTransient(status: number): boolean {
  return [408, 425, 429].includes(status) || status >= 500 && status !== 501 && status !== 505;
}

/** Answers of something else that are taken for an outage before the server has ever answered. */
const FOREIGN_ANSWERS = 5;

/**
 * Whether to try again is in vain. What is not Taskcast's answer is an outage of the path, once the
 * server has answered. Before that the address may be wrong, or the host of the server may have
 * refused by itself: a 401 ends it at once, anything else when it has come several times.
 *
 * @param before What came of earlier attempts: an answer of the server, and how many failed.
 */
export function isFinal(error: unknown, before: { isMet: boolean; failures: number }): boolean {
  const isWrongPlace = !before.isMet && before.failures >= FOREIGN_ANSWERS;
  if (error instanceof UnreachableError) return error.isBrowser && isWrongPlace;
  if (!(error instanceof TaskcastHttpError) || isTransient(error.status)) return false;
  return !error.isForeign || isWrongPlace || !before.isMet && error.status === 401;
}

/** Sends requests to a Taskcast server. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #base: string;
  readonly #fetch: typeof fetch;
  #isReached = false;
  #hasWarned = false;

  /** Requests to one server. @throws {TypeError} If `baseUrl` is not a URL of HTTP or says more. */
  constructor(options: HttpOptions) {
    this.#options = options;
    const problem = baseUrlProblem(options.baseUrl);
    if (problem !== undefined) throw new TypeError(`"baseUrl" ${problem}`);
    this.#base = new URL(options.baseUrl).href.replace(/\/+$/, "");
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

  /** Whether anything has ever answered. */
  get isReached(): boolean {
    return this.#isReached;
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
    return await this.read(await this.request(url, init));
  }

  /**
   * Reads the JSON of an answer; `undefined` of one without a body.
   *
   * @throws {TaskcastHttpError} If it is none, e.g. since the request was led to a sign-in page.
   */
  async read<T>(response: Response): Promise<T> {
    const text = await response.text();
    try {
      return (response.status === 204 ? undefined : JSON.parse(text)) as T;
    } catch {
      throw new TaskcastHttpError(response);
    }
  }

  /** Tells the console of an error that is told to nobody else; the first one only. */
  warn(error: unknown): void {
    if (!this.#hasWarned) console.warn(`Taskcast goes on trying. ${error}`);
    this.#hasWarned = true;
  }

  async #send(url: string, init: RequestInit, refresh: boolean): Promise<Response> {
    const all = new Headers(this.#options.headers);
    const bearer = await this.#token(refresh);
    if (bearer !== undefined) all.set("authorization", `Bearer ${bearer}`);
    new Headers(init.headers).forEach((value, name) => all.set(name, value));
    try {
      const response = await this.#fetch(url, { ...init, headers: all });
      this.#isReached = true;
      return response;
    } catch (error) {
      // Anything else is an abort.
      if (!(error instanceof TypeError)) throw error;
      const isBrowser = !this.#isReached && await refusedByBrowser(this.#base, this.#fetch);
      throw new UnreachableError(this.#base, error, isBrowser);
    }
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
  let body: ErrorBody["error"] | undefined;
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    // Not compared with a list: a newer server may have codes that this client does not know.
    if (/^[A-Z_]+$/.test(error.code) && typeof error.message === "string") body = error;
  } catch {
    // Not ours.
  }
  return new TaskcastHttpError(response, body);
}

/** What is said of an answer that is not Taskcast's. */
function foreign({ status, url, headers }: Response): ErrorBody["error"] {
  const codes: Record<number, ErrorCode> = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL",
  };
  const { pathname } = new URL(url || "http://unknown/");
  const type = headers.get("content-type") ?? "nothing";
  return {
    code: codes[status] ?? (status < 500 ? "NOT_FOUND" : "STORE_UNAVAILABLE"),
    message: `The server answered ${status} to ${pathname} with ${type}, which is not an answer ` +
      "of Taskcast: it comes from something in between, or baseUrl is wrong",
  };
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
