import type { TaskStatus } from "@taskcast/core/protocol";
import { isTerminal, TASK_STATUSES } from "@taskcast/core/protocol";
import { resumeQueryOf } from "./answer_names.ts";
import type { AnswerSource } from "./answer_source.ts";
import { abandon } from "./answer_source.ts";
import type { AnswerContext, RespondOptions, ResumeOptions } from "./chat_options.ts";
import type { ChatTasks } from "./tasks/chat_tasks.ts";
import type { ChatEngine } from "./tasks/chat_engine.ts";
import { engineTasks } from "./tasks/engine_tasks.ts";
import { end, failure, isEnded, pump } from "./chunks/pump.ts";
import type { ChatServer } from "./tasks/remote_tasks.ts";
import { chunksOfAnswer } from "./chunks/chunks_of_answer.ts";
import { ANSWER_TYPE, answersOf, chatTag, findAnswer, questionTag } from "./find_answer.ts";
import { remoteTasks } from "./tasks/remote_tasks.ts";
import type { ChatProtocol } from "./response.ts";
import { CHAT_PROTOCOLS, responseOf } from "./response.ts";
import type { ChatRoutesOptions, HonoSource, RouteSource } from "./routes.ts";
import { routeChat } from "./routes.ts";

/** Options for {@linkcode TaskcastChat}: where its tasks are, and how answers are told. */
export type TaskcastChatOptions = (ChatEngine | ChatServer) & {
  /**
   * `text` goes with the AI SDK's `TextStreamChatTransport`. @default {"ui-message"}
   */
  protocol?: ChatProtocol;
  /**
   * Seconds from the beginning of an answer after which it is given up, also when the process that
   * makes it has died. @default {600}
   */
  ttl?: number;
  /**
   * Bytes of an answer, about, that may be on their way to the store; then the model's stream is
   * not read. @default {4194304}
   */
  maxBufferedBytes?: number;
  /**
   * Keeps the process alive while an answer is made, where it would not be after the response:
   * Next.js' `after`, `waitUntil` of Vercel and Cloudflare. @default the process lives anyway
   */
  waitUntil?: (promise: Promise<unknown>) => void;
  /**
   * Told of what goes wrong with an answer; returns what is told to the reader.
   * @default nothing is said but "An error occurred."
   */
  onError?: (error: unknown) => string;
};

// When a reader goes away, Deno cancels the body, and warns whoever touches a request's signal.
const LISTENS_TO_REQUESTS = !("Deno" in globalThis);

const UNENDED: readonly TaskStatus[] = TASK_STATUSES.filter((status) => !isTerminal(status));

/**
 * Puts answers of the AI SDK into tasks and tells them from there, so that they survive a reload,
 * go on on another device, and can be stopped from anywhere.
 *
 * @example A chat without a model
 * ```ts
 * import { TaskcastChat } from "@taskcast/ai";
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const chat = new TaskcastChat({ engine, protocol: "text" });
 * const response = await chat.respond("c1", async function* () {
 *   yield "Hello";
 *   yield " world";
 * }());
 * assert.equal(await response.text(), "Hello world");
 * assert.equal((await chat.resume("c1")).status, 204); // Nothing is under way.
 * await engine.close();
 * ```
 */
export class TaskcastChat {
  readonly #tasks: ChatTasks;
  readonly #protocol: ChatProtocol;
  readonly #ttl: number;
  readonly #waitUntil: (promise: Promise<unknown>) => void;
  readonly #onError: (error: unknown) => string;

  /**
   * Does nothing yet.
   *
   * @param options An engine, or the two clients of a server.
   * @throws {TypeError} If it is neither, or the protocol is not known.
   */
  constructor(options: TaskcastChatOptions) {
    this.#tasks = tasksOf(options);
    this.#protocol = options.protocol ?? "ui-message";
    if (!CHAT_PROTOCOLS.includes(this.#protocol)) {
      throw new TypeError(`The protocol must be one of ${CHAT_PROTOCOLS.join(", ")}`);
    }
    this.#ttl = options.ttl ?? 600;
    this.#waitUntil = options.waitUntil ?? (() => {});
    this.#onError = options.onError ?? (() => "An error occurred.");
  }

  /**
   * Answers a message: puts the answer into a task of its own and tells it from there. The answer
   * is made to its end, whether or not anybody reads the response.
   *
   * @param chatId 1 to 200 characters. Who may read it is for the caller to say.
   * @param answer The result of `streamText`, a stream of UI message chunks or of texts, or better
   * a function that makes one of them: it gets the signal that ends an answer which was stopped.
   * @returns For the route that `useChat` posts to.
   * @throws {TaskcastError} `INVALID_INPUT` for such a chat id, and whatever keeps the task from
   * being created. What the function throws; the task has failed then.
   */
  async respond(
    chatId: string,
    answer: AnswerSource | ((context: AnswerContext) => AnswerSource | Promise<AnswerSource>),
    { question, task: input = {} }: RespondOptions = {},
  ): Promise<Response> {
    let isTaken = false;
    try {
      const { id: taskId } = await this.#tasks.create({
        ...input,
        type: ANSWER_TYPE,
        ttl: this.#ttl,
        tags: [
          chatTag(chatId),
          ...(question === undefined ? [] : [questionTag(question)]),
          ...input.tags ?? [],
        ],
      });
      isTaken = await this.#answer(taskId, answer);
      return this.#tell(taskId);
    } finally {
      if (!isTaken && typeof answer !== "function") await abandon(answer);
    }
  }

  /**
   * Tells an answer from its beginning: what there is at once, then what comes. That is the answer
   * which the page says it has a part of, else the chat's newest, if it is still being made.
   *
   * @param options The request, or what the page has and a signal.
   * @returns For the route from which `useChat` resumes: 204 when there is nothing to tell.
   * @throws {TaskcastError} `INVALID_INPUT` for a chat id that cannot be, and whatever the store
   * says.
   */
  async resume(chatId: string, options: ResumeOptions | Request = {}): Promise<Response> {
    const isRequest = "url" in options;
    const { answer, message } = isRequest ? resumeQueryOf(options.url) : options;
    const found = await findAnswer(this.#tasks, chatId, { answer, message });
    if (found === undefined) return new Response(null, { status: 204 });
    return this.#tell(found.id, isRequest && !LISTENS_TO_REQUESTS ? undefined : options.signal);
  }

  /**
   * Stops every answer of the chat that is being made, wherever that is. Its task is cancelled and
   * stays, with what there is of the answer.
   *
   * @returns How many were stopped.
   * @throws {TaskcastError} `INVALID_INPUT` for a chat id that cannot be, and whatever the store
   * says.
   */
  async stop(chatId: string): Promise<number> {
    let stopped = 0;
    let cursor: string | undefined;
    do {
      const query = { ...answersOf(chatId), status: [...UNENDED], limit: 100, cursor };
      const { tasks, nextCursor } = await this.#tasks.list(query);
      for (const { id } of tasks) {
        try {
          await this.#tasks.transition(id, "cancelled", { reason: "The answer was stopped" });
          stopped++;
        } catch (error) {
          if (!isEnded(error)) throw error;
        }
      }
      cursor = nextCursor;
    } while (cursor !== undefined);
    return stopped;
  }

  /**
   * Routes for `useChat`, in one function: `POST` answers a message, `GET …/:id/stream` resumes,
   * `DELETE …/:id` stops.
   *
   * @example With Hono; `routes<Request>(…)` takes the request itself
   * ```ts
   * import { TaskcastChat } from "@taskcast/ai";
   * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
   * import { Hono } from "hono";
   * import assert from "node:assert/strict";
   *
   * const engine = new TaskEngine({
   *   broadcast: new MemoryBroadcastProvider(),
   *   shortTermStore: new MemoryShortTermStore(),
   * });
   * const chat = new TaskcastChat({ engine });
   * const app = new Hono();
   * app.all(
   *   "/api/chat/*",
   *   chat.routes({
   *     allows: (_chatId, context) => context.req.header("authorization") === "Bearer me",
   *     answer: async function* ({ body }) {
   *       yield `You said ${body.messages.length} things`;
   *     },
   *   }),
   * );
   * assert.equal((await app.request("/api/chat/c1/stream")).status, 403);
   * await engine.close();
   * ```
   */
  routes<Source extends RouteSource = HonoSource>(
    options: ChatRoutesOptions<Source>,
  ): (source: Source) => Promise<Response> {
    return (source) => routeChat(this, options, source);
  }

  /** Begins to make an answer, unless it was stopped before that. */
  async #answer(
    taskId: string,
    answer: AnswerSource | ((context: AnswerContext) => AnswerSource | Promise<AnswerSource>),
  ): Promise<boolean> {
    const controller = new AbortController();
    const target = { tasks: this.#tasks, taskId, controller, onError: this.#onError };
    try {
      const sink = await this.#tasks.open(taskId);
      if (!await this.#run(taskId)) return false;
      const source = typeof answer === "function"
        ? await answer({ signal: controller.signal, taskId })
        : answer;
      this.#waitUntil(pump(source, { ...target, sink }));
      return true;
    } catch (error) {
      await end(target, failure(this.#onError(error)));
      throw error;
    }
  }

  /** Moves a task to `running`, unless it has ended. */
  async #run(taskId: string): Promise<boolean> {
    try {
      await this.#tasks.transition(taskId, "running");
      return true;
    } catch (error) {
      if (isEnded(error)) return false;
      throw error;
    }
  }

  #tell(taskId: string, signal?: AbortSignal): Response {
    const left = new AbortController();
    const reading = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal]);
    return responseOf(chunksOfAnswer(this.#tasks, taskId, reading), this.#protocol, {
      taskId,
      signal: reading,
      onCancel: () => left.abort(),
    });
  }
}

function tasksOf(options: TaskcastChatOptions): ChatTasks {
  const { maxBufferedBytes = 4 * 1024 * 1024 } = options;
  if ("engine" in options && options.engine !== undefined) {
    return engineTasks(options, maxBufferedBytes);
  }
  if ("server" in options && options.server !== undefined && options.client !== undefined) {
    return remoteTasks(options, maxBufferedBytes);
  }
  throw new TypeError("A chat needs an engine, or the server client and the client of a server");
}
