import { assertPositive, TaskcastHttpError } from "@taskcast/client/http";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { ChatRequestOptions, ChatRequestsOptions, SentMessage } from "./chat_requests.ts";
import { ChatRequests } from "./chat_requests.ts";
import type { ChunkFields } from "./chunks/chunks.ts";
import type { KnownAnswer } from "./known_answers.ts";
import { KnownAnswers } from "./known_answers.ts";
import type { ResumeRetryOptions } from "./resuming.ts";
import { assertResumeRetry, resumingChunks } from "./resuming.ts";

/** The part of the AI SDK's `UIMessage` that the transport uses. */
export interface PageMessage {
  /** Id of the message, the same on the server. */
  readonly id: string;
  /** Author of the message. */
  readonly role: string;
  /** Contents of the message. */
  readonly parts: readonly { readonly type: string; readonly state?: string }[];
}

/** Options for {@linkcode TaskcastChatTransport}. */
export interface TaskcastChatTransportOptions<Message extends PageMessage>
  extends ChatRequestsOptions<Message> {
  /**
   * The messages with which the page was opened. If the last one is a question or an incomplete
   * answer, the answer is streamed even if it ended after the messages were loaded. @default none
   */
  messages?: readonly Message[];
  /** Delays and attempts when a broken stream is resumed. */
  retry?: ResumeRetryOptions;
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
}

/** Options for sending a message. */
export interface SendOptions<Message> extends SentMessage<Message> {
  /** Ends the reading. The answer continues. */
  abortSignal: AbortSignal | undefined;
}

/** Options for resuming an answer. */
export interface ReconnectOptions extends ChatRequestOptions {
  /** The chat. */
  chatId: string;
  /** Ends the reading. The answer continues. */
  abortSignal?: AbortSignal;
}

/**
 * Answers known to all transports of this page. Empty on servers, which render without requests.
 */
const knownOnPage = new KnownAnswers();

/**
 * Transport for `useChat` that keeps track of the part of an answer that it has delivered. It
 * replaces a broken connection without an interruption of the page's stream, and delivers the rest
 * of an answer that ended while the page was away.
 *
 * @example
 * ```ts
 * import { useChat } from "@ai-sdk/react";
 * import { TaskcastChatTransport } from "@taskcast/ai/transport";
 * import type { UIMessage } from "ai";
 *
 * function useResumableChat(id: string, messages: UIMessage[]) {
 *   const transport = new TaskcastChatTransport<UIMessage>({ api: "/api/chat", messages });
 *   const chat = useChat({ id, messages, transport, resume: true });
 *   return { ...chat, stop: () => transport.stop(id) };
 * }
 * ```
 */
export class TaskcastChatTransport<Message extends PageMessage> {
  /** Set: the AI SDK then expects a resumed answer to be repeated from its beginning. */
  readonly resumeStreamIsReplay: boolean = true;
  readonly #requests: ChatRequests<Message>;
  readonly #retry: ResumeRetryOptions;
  readonly #idleTimeoutMs: number;
  /** The answer that the page needs after it was opened, if it is missing or incomplete. */
  readonly #opened: KnownAnswer | undefined;

  /**
   * Creates the transport. Sends nothing yet.
   *
   * @throws {RangeError} If a delay or the number of attempts is below 1.
   */
  constructor(options: TaskcastChatTransportOptions<Message> = {}) {
    const { messages = [], retry = {}, idleTimeoutMs = 45_000, ...requests } = options;
    assertResumeRetry(retry);
    assertPositive({ idleTimeoutMs });
    this.#requests = new ChatRequests(requests);
    this.#retry = retry;
    this.#idleTimeoutMs = idleTimeoutMs;
    const last = messages.at(-1);
    if (last !== undefined && isUnanswered(last)) this.#opened = { message: last.id };
  }

  /**
   * Posts a message.
   *
   * @returns The chunks of the answer, to its end.
   * @throws {Error} If the message is refused or cannot be sent; it is sent only once.
   */
  async sendMessages(
    { abortSignal, ...message }: SendOptions<Message>,
    // deno-lint-ignore no-explicit-any -- The AI SDK's type of chunks differs between its versions.
  ): Promise<ReadableStream<any>> {
    const { chatId, messages } = message;
    const last = messages.at(-1);
    // If the last message is the assistant's, the answer continues it.
    const continues = last?.role === "assistant" ? last.id : undefined;
    // Recorded with its question, by which it can be found if the response is lost. A question that
    // is answered again is not recorded, since it would lead to the earlier answer.
    const isNew = continues === undefined && message.trigger === "submit-message";
    const known: KnownAnswer = { message: isNew ? last?.id : undefined, messageId: continues };
    const key = this.#requests.keyOf(chatId);
    knownOnPage.record(key, known);
    const reading = new Reading(abortSignal);
    const posting = this.#requests.send(message, reading.signal);
    const response = await knownOnPage.trackPost(key, posting).catch((error) => {
      const isRefused = error instanceof TaskcastHttpError && !error.transient;
      if (isRefused) knownOnPage.complete(key, known);
      throw error;
    });
    const chunks = this.#chunks(response, known, reading.signal, message);
    return reading.stream(
      continues === undefined ? withMessageId(chunks, known.answer) : chunks,
    );
  }

  /**
   * Streams an answer from its beginning: the one that the page has a part of, even if it has ended,
   * or else the chat's newest one, if it is being generated.
   *
   * @returns The chunks of the answer, to its end; `null` if there is none.
   * @throws {Error} If the request is refused, or if the server cannot be reached.
   */
  async reconnectToStream(
    { chatId, abortSignal, ...call }: ReconnectOptions,
    // deno-lint-ignore no-explicit-any -- As above.
  ): Promise<ReadableStream<any> | null> {
    const key = this.#requests.keyOf(chatId);
    const before = knownOnPage.find(key, this.#opened);
    const { answer, message } = before;
    const reading = new Reading(abortSignal);
    const response = await this.#requests.resume(
      chatId,
      { answer, message },
      call,
      reading.signal,
    );
    if (response.status === 204 || response.body === null) {
      knownOnPage.complete(key, before);
      return null;
    }
    const known: KnownAnswer = { message };
    const chunks = this.#chunks(response, known, reading.signal, { chatId, ...call });
    if (known.answer === answer) known.messageId = before.messageId;
    // A response without the answer's id may come from an intermediary, and replaces no known id.
    if (known.answer !== undefined || answer === undefined) knownOnPage.record(key, known);
    return reading.stream(withMessageId(chunks, known.messageId ?? known.answer));
  }

  /**
   * Stops the chat's answers for all readers and keeps the part generated so far. The page's stream
   * then ends by itself. (`stop` of `useChat` only closes the page's stream.) If this page is
   * sending a message, its answer is stopped as soon as the message has arrived.
   *
   * @throws {Error} If the request is refused, or if the server cannot be reached.
   */
  async stop(chatId: string): Promise<void> {
    const posts = knownOnPage.postsOf(this.#requests.keyOf(chatId));
    await this.#requests.stop(chatId);
    if (posts.length === 0) return;
    await Promise.allSettled(posts);
    await this.#requests.stop(chatId);
  }

  /** Returns the chunks of an answer. Records its id, and later that it was delivered. */
  #chunks(
    response: Response,
    known: KnownAnswer,
    signal: AbortSignal,
    { chatId, headers, body, metadata }: ChatRequestOptions & { chatId: string },
  ): AsyncGenerator<ChunkFields, void> {
    const answer = response.headers.get(ANSWER_HEADER) ?? undefined;
    known.answer = answer;
    const options = {
      answer,
      signal,
      idleTimeoutMs: this.#idleTimeoutMs,
      retry: this.#retry,
      requestAgain: () =>
        this.#requests.resume(chatId, { answer }, { headers, body, metadata }, signal),
    };
    const markComplete = () => knownOnPage.complete(this.#requests.keyOf(chatId), known);
    return (async function* () {
      yield* resumingChunks(response, options);
      markComplete();
    })();
  }
}

/** One stream of an answer to the page, which ends when the page aborts or cancels it. */
class Reading {
  readonly #left = new AbortController();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal | undefined) {
    this.signal = signal === undefined
      ? this.#left.signal
      : AbortSignal.any([signal, this.#left.signal]);
  }

  stream(chunks: AsyncGenerator<ChunkFields, void>): ReadableStream<ChunkFields> {
    return new ReadableStream<ChunkFields>({
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => this.#left.abort(reason),
    }, { highWaterMark: 0 });
  }
}

/**
 * Adds an id to the message if the answer has none, so that a repeated answer becomes the same
 * message.
 */
async function* withMessageId(
  chunks: AsyncGenerator<ChunkFields, void>,
  id: string | undefined,
): AsyncGenerator<ChunkFields, void> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const messageId = isFirst ? id : undefined;
    isFirst = false;
    if (messageId === undefined) yield chunk;
    else if (chunk.type === "start") yield { ...chunk, messageId: chunk.messageId ?? messageId };
    else yield* [{ type: "start", messageId }, chunk];
  }
}

/**
 * Returns whether an answer is missing after a message, or the message itself is an incomplete
 * answer.
 */
function isUnanswered({ role, parts }: PageMessage): boolean {
  if (role !== "assistant") return role === "user";
  return parts.some(({ state }) => state === "streaming" || state === "input-streaming");
}
