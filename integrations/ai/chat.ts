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

/** Options for {@linkcode TaskcastChat}: an engine or a server's clients, and limits of answers. */
export type TaskcastChatOptions = (ChatEngine | ChatServer) & {
  /** `text` is for the AI SDK's `TextStreamChatTransport`. @default {"ui-message"} */
  protocol?: ChatProtocol;
  /**
   * Maximum duration of an answer in seconds. It also ends answers whose process has died.
   * @default {600}
   */
  ttl?: number;
  /**
   * Approximate number of bytes of an answer that may wait to be stored. Beyond it, the model's
   * stream is not read. @default {4194304}
   */
  maxBufferedBytes?: number;
  /**
   * Keeps the process alive while an answer is generated, on platforms that stop it after the
   * response: `after` of Next.js, or `waitUntil` of Vercel and Cloudflare. @default none
   */
  waitUntil?: (promise: Promise<unknown>) => void;
  /**
   * Called with errors of an answer; returns the text that the reader gets. @default "An error
   * occurred.", without details
   */
  onError?: (error: unknown) => string;
};

// Deno reports a disconnected reader by cancelling the body, and warns if the signal of a request
// is read.
const LISTENS_TO_REQUESTS = !("Deno" in globalThis);

const UNENDED: readonly TaskStatus[] = TASK_STATUSES.filter((status) => !isTerminal(status));

/**
 * Stores answers of the AI SDK in tasks and streams them from there, so that they survive a reload,
 * continue on another device, and can be stopped from anywhere.
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
   * Creates the chat without any effects.
   *
   * @param options An engine, or the two clients of a server.
   * @throws {TypeError} If it is neither, or if the protocol is unknown.
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
   * Answers a message: stores the answer in a new task, and streams it from there. The answer is
   * generated to its end even if the response is not read.
   *
   * @param chatId 1 to 200 characters. The caller must check who may read it.
   * @param answer The result of `streamText`, a stream of UI message chunks or of texts, or a
   * function that returns one of them. Prefer a function: it gets a signal that aborts when the
   * answer is stopped.
   * @returns The response for the route that `useChat` posts to.
   * @throws {TaskcastError} `INVALID_INPUT` for an invalid chat id, or any error of creating the
   * task. Errors of the function are passed on, and the task fails.
   */
  async respond(
    chatId: string,
    answer: AnswerSource | ((context: AnswerContext) => AnswerSource | Promise<AnswerSource>),
    { question, task: input = {} }: RespondOptions = {},
  ): Promise<Response> {
    let isStarted = false;
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
      isStarted = await this.#answer(taskId, answer);
      return this.#streamAnswer(taskId);
    } finally {
      if (!isStarted && typeof answer !== "function") await abandon(answer);
    }
  }

  /**
   * Streams an answer from its beginning: stored chunks at once, then new ones. The answer is the
   * one that the page has a part of, or else the chat's newest one, if it is still being generated.
   *
   * @param options The request, or the page's state and a signal.
   * @returns The response for the route from which `useChat` resumes; 204 if there is no such
   * answer.
   * @throws {TaskcastError} `INVALID_INPUT` for an invalid chat id, or any error of the store.
   */
  async resume(chatId: string, options: ResumeOptions | Request = {}): Promise<Response> {
    const isRequest = "url" in options;
    const { answer, message } = isRequest ? resumeQueryOf(options.url) : options;
    const found = await findAnswer(this.#tasks, chatId, { answer, message });
    if (found === undefined) return new Response(null, { status: 204 });
    return this.#streamAnswer(
      found.id,
      isRequest && !LISTENS_TO_REQUESTS ? undefined : options.signal,
    );
  }

  /**
   * Stops every answer of the chat that is being generated, in any process. Its task is cancelled
   * and kept with the part of the answer so far.
   *
   * @returns The number of stopped answers.
   * @throws {TaskcastError} `INVALID_INPUT` for an invalid chat id, or any error of the store.
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
   * Returns the routes for `useChat` as one function: `POST` answers a message, `GET …/:id/stream`
   * resumes, `DELETE …/:id` stops.
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

  /** Starts to generate an answer. @returns `false` if it was stopped before that. */
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

  /** Sets the status of a task to `running`. @returns `false` if the task has ended. */
  async #run(taskId: string): Promise<boolean> {
    try {
      await this.#tasks.transition(taskId, "running");
      return true;
    } catch (error) {
      if (isEnded(error)) return false;
      throw error;
    }
  }

  #streamAnswer(taskId: string, signal?: AbortSignal): Response {
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
