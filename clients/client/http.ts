/**
 * Parts that the clients of Taskcast share: requests with tokens, typed errors, back-off.
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

/**
 * Returns whether the JSON of a success has the shape of the server's answer; if it has not, it may
 * throw as well.
 */
// deno-lint-ignore no-explicit-any -- It comes from outside, and nothing is known of it.
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
   * Requests to one server.
   *
   * @throws {TypeError} If `baseUrl` is not a URL of HTTP or says more, and for a token and headers
   * that cannot be sent.
   */
  constructor(options: HttpOptions) {
    this.#options = options;
    const { baseUrl, token } = options;
    const problem = baseUrlProblem(baseUrl);
    if (problem !== undefined) throw new TypeError(`"baseUrl" ${problem}`);
    this.#headers(typeof token === "string" ? token : undefined); // To refuse them here.
    this.#base = new URL(baseUrl).href.replace(/\/+$/, "");
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

  /** True once anything has answered. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** True if `fetch` was given as an option. */
  get hasOwnFetch(): boolean {
    return this.#options.fetch !== undefined;
  }

  /** True if a refused token can be replaced by a fresh one. */
  get canRefreshToken(): boolean {
    return typeof this.#options.token === "function";
  }

  /** True if requests carry credentials. */
  get hasCredentials(): boolean {
    const { token, headers = {} } = this.#options;
    return token !== undefined || Object.keys(headers).length > 0;
  }

  /** Returns the credentials of requests: the token, and all headers. */
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

  /** Sends JSON and reads JSON. See {@linkcode HttpClient.request} and {@linkcode HttpClient.read}. */
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
   * Reads the JSON of an answer; `undefined` of one without a body.
   *
   * @param isOurs The shape that the server's answer has. @default an object
   * @throws {TaskcastHttpError} If it is another answer, e.g. since the request was led to a sign-in
   * page.
   */
  async read<T>(response: Response, isOurs: IsOurs = isObject): Promise<T> {
    const text = await response.text();
    try {
      const answer = response.status === 204 ? undefined : JSON.parse(text);
      if (isOurs(answer)) return answer;
    } catch {
      // Not ours.
    }
    throw new TaskcastHttpError(response);
  }

  /** Tells the console of an error that is told to nobody else; the first one only. */
  warn(error: unknown): void {
    if (!this.#hasWarned) console.warn(`Taskcast goes on trying. ${error}`);
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
      // Anything else is an abort.
      if (!(error instanceof TypeError)) throw error;
      const isBrowser = !this.#isReached && await refusedByBrowser(this.#base, this.#fetch);
      throw new UnreachableError(this.#base, error, isBrowser);
    }
  }

  /** @throws {TypeError} Without the value, which may be a secret; runtimes show it. */
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
