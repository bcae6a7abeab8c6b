import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { AnswerSource } from "./answer_source.ts";
import type { AnswerContext, RoutedChat } from "./chat_options.ts";
import { readJson } from "./read_json.ts";

/**
 * The part of Hono's context that every application has. To use your variables, pass your own
 * `Context<Env>` as the type argument.
 */
export interface HonoSource {
  /** The request. */
  readonly req: {
    /** The original request. */
    readonly raw: Request;
    /** Returns a header of the request. */
    header(name: string): string | undefined;
  };
}

/** Argument of a route: a request, or Hono's context with one. */
export type RouteSource = Request | HonoSource;

/** A posted message. */
export interface ChatPost<Source> extends AnswerContext {
  /** The chat. */
  id: string;
  /**
   * The posted body, not validated: `messages`, or the result of the page's
   * `prepareSendMessagesRequest`.
   */
  // deno-lint-ignore no-explicit-any -- As in `request.json()`.
  body: any;
  /** The request, or Hono's context. */
  source: Source;
}

/** Options for {@linkcode TaskcastChat.routes}. */
export interface ChatRoutesOptions<Source> {
  /**
   * Returns whether the caller may read, continue and stop a chat; otherwise the answer is 403.
   * Pages choose the ids of chats, so the id may be a new one.
   */
  allows: (chatId: string, source: Source) => boolean | Promise<boolean>;
  /** Generates the answer: the result of `streamText`, or a stream of chunks or texts. */
  answer: (post: ChatPost<Source>) => AnswerSource | Promise<AnswerSource>;
  /** Maximum size of a message in bytes; a larger one is answered with 413. @default {16777216} */
  maxBodyBytes?: number;
}

/** Answers one request to the routes of a chat. */
export async function routeChat<Source extends RouteSource>(
  chat: RoutedChat,
  options: ChatRoutesOptions<Source>,
  source: Source,
): Promise<Response> {
  const request = "req" in source ? source.req.raw : source as Request;
  try {
    return await route(chat, options, source, request);
  } catch (error) {
    if (!(error instanceof TaskcastError)) throw error;
    const status = STATUS_OF[error.code];
    if (status === undefined) throw error;
    return refusal(status, error.code, error.message);
  }
}

async function route<Source>(
  chat: RoutedChat,
  { allows, answer, maxBodyBytes = 16 * 1024 * 1024 }: ChatRoutesOptions<Source>,
  source: Source,
  request: Request,
): Promise<Response> {
  const forbidden = () => refusal(403, "FORBIDDEN", "You have no access to this chat");
  const path = pathOf(request);
  if (request.method === "POST") {
    const body = await readJson(request, maxBodyBytes);
    const { id } = body;
    if (typeof id !== "string") return refusal(400, "INVALID_INPUT", '"id" is missing');
    if (!await allows(id, source)) return forbidden();
    const answering = (context: AnswerContext) => answer({ ...context, id, body, source });
    return await chat.respond(id, answering, { question: questionOf(body) });
  }
  if (request.method === "GET" && path.at(-1) === "stream" && path.length > 1) {
    const id = path.at(-2)!;
    return await allows(id, source) ? await chat.resume(id, request) : forbidden();
  }
  if (request.method === "DELETE" && path.length > 0) {
    const id = path.at(-1)!;
    if (!await allows(id, source)) return forbidden();
    return Response.json({ stopped: await chat.stop(id) });
  }
  return refusal(404, "NOT_FOUND", `There is no route for ${request.method} at this path`);
}

/** Returns the segments of a request's path. */
function pathOf({ url }: Request): string[] {
  try {
    return new URL(url).pathname.split("/").filter((part) => part !== "").map(decodeURIComponent);
  } catch {
    throw new TaskcastError("INVALID_INPUT", "The path is invalid");
  }
}

/** Returns the id of the answered message; `undefined` if the answer continues another answer. */
// deno-lint-ignore no-explicit-any -- External input of unknown shape.
function questionOf({ messages, message }: any): string | undefined {
  const last = Array.isArray(messages) ? messages.at(-1) : message;
  const isUsable = last?.role === "user" && typeof last.id === "string" &&
    last.id.length > 0 && last.id.length <= 200;
  return isUsable ? last.id : undefined;
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  INVALID_INPUT: 400,
  UNSUPPORTED_MEDIA_TYPE: 415,
  PAYLOAD_TOO_LARGE: 413,
  STORE_UNAVAILABLE: 503,
};

function refusal(status: number, code: ErrorCode, message: string): Response {
  const body: ErrorBody = { error: { code, message } };
  return Response.json(body, { status });
}
