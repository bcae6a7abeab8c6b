/**
 * HTTP layer of Taskcast's clients: requests with tokens, typed errors, delays between attempts.
 *
 * @module
 */
import { baseUrlProblem } from "./base_url.ts";
import { errorOf, TaskcastHttpError } from "./http_error.ts";
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
export { isFinal, isVerdict, TaskcastHttpError } from "./http_error.ts";
export type { EventsQuery } from "./query.ts";
export { eventsParameters, listParameter } from "./query.ts";
export { UnreachableError } from "./unreachable.ts";

/**
 * A token, or a function that returns one. The function is called for each request, and again with
 * `refresh: true` after the server refused the token.
 */
export type TokenSource = string | ((options: { refresh: boolean }) => string | Promise<string>);

/** The server's address and how requests are sent. */
export interface HttpOptions {
  /** E.g. `http://localhost:3721`, including the path under which Taskcast is mounted. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. @default none */
  token?: TokenSource;
  /** Headers sent with every request. */
  headers?: Record<string, string>;
  /** Sends requests. @default the runtime's own */
  fetch?: typeof fetch;
}

/**
 * Returns whether the JSON of a successful answer has the shape of the server's answer. May throw
 * if it has not.
 */
// deno-lint-ignore no-explicit-any -- External input of unknown shape.
export type IsOurs = (answer: any) => boolean;

/** Returns whether an answer is a JSON object. */
export function isObject(answer: unknown): answer is Record<string, unknown> {
  return typeof answer === "object" && answer !== null && !Array.isArray(answer);
}

/** Sends requests to a Taskcast server. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #base: string;
  readonly #fetch: typeof fetch;
  #isReached = false;
  #hasWarned = false;

  /**
   * Creates a client of one server.
   *
   * @throws {TypeError} If `baseUrl` is not a plain HTTP URL, or if the token or a header cannot be
   * sent.
   */
  constructor(options: HttpOptions) {
    this.#options = options;
    const { baseUrl, token } = options;
    const problem = baseUrlProblem(baseUrl);
    if (problem !== undefined) throw new TypeError(`"baseUrl" ${problem}`);
    this.#headers(typeof token === "string" ? token : undefined); // Throws if it cannot be sent.
    this.#base = new URL(baseUrl).href.replace(/\/+$/, "");
    // The browser's fetch fails when it is called as a method of another object.
    this.#fetch = options.fetch ?? ((...args) => fetch(...args));
  }

  /** Returns the URL of a path below the base, e.g. `/tasks`. */
  url(path: string, query: Record<string, string | number | boolean | undefined> = {}): string {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) params.set(name, String(value));
    }
    return this.#base + path + (params.size === 0 ? "" : `?${params}`);
  }

  /** Set once any request was answered, by the server or an intermediary. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Set if `fetch` was passed as an option. */
  get hasOwnFetch(): boolean {
    return this.#options.fetch !== undefined;
  }

  /** Set if a refused token can be replaced by a fresh one. */
  get canRefreshToken(): boolean {
    return typeof this.#options.token === "function";
  }

  /** Set if requests carry credentials. */
  get hasCredentials(): boolean {
    const { token, headers = {} } = this.#options;
    return token !== undefined || Object.keys(headers).length > 0;
  }

  /** Returns what identifies the caller to the server: the token, and all headers. */
  async credentials(): Promise<{ token?: string; headers: Record<string, string> }> {
    const { headers = {} } = this.#options;
    return { token: await this.#token(false), headers };
  }

  /**
   * Sends a request with the token, and again with a fresh one if the server refuses it.
   *
   * @param options.refreshToken Gets a fresh token before the first attempt. For bodies that are
   * streams: they can be sent only once, so the caller repeats the request itself. @default {false}
   * @returns A successful response.
   * @throws {TaskcastHttpError} For every other response. Network errors are passed on.
   */
  async request(
    url: string,
    init: RequestInit & { duplex?: "half" } = {},
    { refreshToken = false }: { refreshToken?: boolean } = {},
  ): Promise<Response> {
    let response = await this.#send(url, init, refreshToken);
    const canRepeat = init.duplex === undefined; // A stream can be sent only once.
    if (response.status === 401 && this.canRefreshToken && canRepeat) {
      await response.body?.cancel();
      response = await this.#send(url, init, true);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /**
   * Sends JSON and reads JSON. See {@linkcode HttpClient.request} and {@linkcode HttpClient.read}.
   */
  async json<T>(
    method: string,
    url: string,
    body?: unknown,
    { signal, isOurs }: { signal?: AbortSignal; isOurs?: IsOurs } = {},
  ): Promise<T> {
    const init: RequestInit = { method, signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "content-type": "application/json" };
    }
    return await this.read(await this.request(url, init), isOurs);
  }

  /**
   * Reads the JSON of an answer; returns `undefined` if it has no body.
   *
   * @param isOurs Checks the shape of the server's answer. @default an object
   * @throws {TaskcastHttpError} If it is a foreign answer, e.g. a sign-in page after a redirect.
   */
  async read<T>(response: Response, isOurs: IsOurs = isObject): Promise<T> {
    const text = await response.text();
    try {
      const answer = response.status === 204 ? undefined : JSON.parse(text);
      if (isOurs(answer)) return answer;
    } catch {
      // A foreign answer.
    }
    throw new TaskcastHttpError(response);
  }

  /** Logs the first error that is reported nowhere else to the console. */
  warn(error: unknown): void {
    if (!this.#hasWarned) console.warn(`Taskcast keeps trying. ${error}`);
    this.#hasWarned = true;
  }

  async #send(url: string, init: RequestInit, refresh: boolean): Promise<Response> {
    const all = this.#headers(await this.#token(refresh));
    new Headers(init.headers).forEach((value, name) => all.set(name, value));
    try {
      const response = await this.#fetch(url, { ...init, headers: all });
      this.#isReached = true;
      return response;
    } catch (error) {
      // Any other error is an abort.
      if (!(error instanceof TypeError)) throw error;
      const isBrowser = !this.#isReached && await refusedByBrowser(this.#base, this.#fetch);
      throw new UnreachableError(this.#base, error, isBrowser);
    }
  }

  /**
   * @throws {TypeError} For a header that cannot be sent. Unlike the runtime's own error, it does
   * not contain the value, which may be secret.
   */
  #headers(token: string | undefined): Headers {
    const headers = new Headers();
    const set = (name: string, value: string) => {
      try {
        headers.set(name, value);
      } catch {
        throw new TypeError(`The header "${name}" has characters that HTTP does not allow`);
      }
    };
    for (const [name, value] of Object.entries(this.#options.headers ?? {})) set(name, value);
    if (token !== undefined) set("authorization", `Bearer ${token}`);
    return headers;
  }

  async #token(refresh: boolean): Promise<string | undefined> {
    const { token } = this.#options;
    return typeof token === "function" ? await token({ refresh }) : token;
  }
}

/**
 * Returns the URL of the next page, if the answer's `Link` header (RFC 8288) names one.
 *
 * @throws {Error} If it is the same page, which would cause an endless loop.
 */
export function nextPage(response: Response, requestUrl: string): string | undefined {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "");
  if (link === null) return undefined;
  const url = new URL(link[1]!, requestUrl).href;
  assertAdvances(requestUrl, url);
  return url;
}

/**
 * Checks that the next page differs from this one.
 *
 * @throws {Error} If both are the same.
 */
export function assertAdvances(page: string | undefined, next: string | undefined): void {
  if (next !== undefined && next === page) {
    throw new Error("The server names the page itself as the next one");
  }
}
