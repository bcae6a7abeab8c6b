import { assertPositive, TaskcastHttpError } from "@taskcast/client/http";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { ChatRequestOptions, ChatRequestsOptions, SentMessage } from "./chat_requests.ts";
import { ChatRequests } from "./chat_requests.ts";
import type { ChunkFields } from "./chunks/chunks.ts";
import type { KnownAnswer } from "./known_answers.ts";
import { KnownAnswers } from "./known_answers.ts";
import type { ResumeRetryOptions } from "./resuming.ts";
import { assertResumeRetry, resumingChunks } from "./resuming.ts";

/** Part of a message of the AI SDK that is read. */
export interface PageMessage {
  /** Its name, which the server knows as well. */
  readonly id: string;
  /** Author. */
  readonly role: string;
  /** Parts of the message. */
  readonly parts: readonly { readonly type: string; readonly state?: string }[];
}

/** Options for {@linkcode TaskcastChatTransport}. */
export interface TaskcastChatTransportOptions<Message extends PageMessage>
  extends ChatRequestsOptions<Message> {
  /**
   * The messages that the page was opened with. If the last of them is a question, its answer is
   * told even if it ended after they were read; so is an answer that breaks off. @default none
   */
  messages?: readonly Message[];
  /** How a stream that broke is resumed. */
  retry?: ResumeRetryOptions;
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
}

/** A page that sends a message. */
export interface SendOptions<Message> extends SentMessage<Message> {
  /** Ends the reading. The answer goes on. */
  abortSignal: AbortSignal | undefined;
}

/** A page that wants to read on. */
export interface ReconnectOptions extends ChatRequestOptions {
  /** The chat. */
  chatId: string;
  /** Ends the reading. The answer goes on. */
  abortSignal?: AbortSignal;
}

/** Answers known to all transports of this page; servers request none, so they remember none. */
const knownOnPage = new KnownAnswers();

/**
 * A transport for `useChat` that knows how far an answer was told. A connection that breaks is
 * replaced without the page noticing, and an answer that ended while the page was away is told to
 * its end.
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
  /** Tells the AI SDK that what is resumed is told from its beginning. */
  readonly resumeStreamIsReplay: boolean = true;
  readonly #requests: ChatRequests<Message>;
  readonly #retry: ResumeRetryOptions;
  readonly #idleTimeoutMs: number;
  /** Answer with which the page was opened, if it is incomplete. */
  readonly #opened: KnownAnswer | undefined;

  /**
   * Makes no request yet.
   *
   * @throws {RangeError} For waits and attempts that are no numbers from 1.
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
   * @throws {Error} When the message is refused or cannot be sent; it is sent once.
   */
  async sendMessages(
    { abortSignal, ...message }: SendOptions<Message>,
    // deno-lint-ignore no-explicit-any -- The AI SDK's type of chunks differs between its versions.
  ): Promise<ReadableStream<any>> {
    const { chatId, messages } = message;
    const last = messages.at(-1);
    // A message of the assistant at the end is one that the answer continues.
    const continues = last?.role === "assistant" ? last.id : undefined;
    // Until the answer is known, it is known by its question, in case that the response gets lost.
    // A question that is answered anew has another answer already.
    const isNew = continues === undefined && message.trigger === "submit-message";
    const known: KnownAnswer = { message: isNew ? last?.id : undefined, messageId: continues };
    const key = this.#requests.keyOf(chatId);
    knownOnPage.remember(key, known);
    const reading = new Reading(abortSignal);
    const posting = this.#requests.send(message, reading.signal);
    const response = await knownOnPage.posting(key, posting).catch((error) => {
      const isRefused = error instanceof TaskcastHttpError && !error.transient;
      if (isRefused) knownOnPage.settle(key, known);
      throw error;
    });
    const chunks = this.#chunks(response, known, reading.signal, message);
    return reading.stream(
      continues === undefined ? withMessageId(chunks, known.answer) : chunks,
    );
  }

  /**
   * Tells the answer that the page has a part of from its beginning, whether it has ended or not;
   * without one, the chat's newest answer, if it is being made.
   *
   * @returns The chunks of the answer, to its end; `null` if there is none.
   * @throws {Error} When it is refused, or the server cannot be reached.
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
      knownOnPage.settle(key, before);
      return null;
    }
    const known: KnownAnswer = { message };
    const chunks = this.#chunks(response, known, reading.signal, { chatId, ...call });
    if (known.answer === answer) known.messageId = before.messageId;
    // What does not say which answer it tells may be a page of something in between.
    if (known.answer !== undefined || answer === undefined) knownOnPage.remember(key, known);
    return reading.stream(withMessageId(chunks, known.messageId ?? known.answer));
  }

  /**
   * Stops what is being answered, for all who read it; what there is of the answer is kept. The
   * page's stream then ends by itself. (`stop` of `useChat` only closes the page's stream.) A
   * message of this page that is on its way is waited for, and its answer stopped as well.
   *
   * @throws {Error} When it is refused, or the server cannot be reached.
   */
  async stop(chatId: string): Promise<void> {
    const posts = knownOnPage.postsOf(this.#requests.keyOf(chatId));
    await this.#requests.stop(chatId);
    if (posts.length === 0) return;
    await Promise.allSettled(posts);
    await this.#requests.stop(chatId);
  }

  /** The chunks of an answer; remembers which it is, and that it was told when it was. */
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
      ask: () => this.#requests.resume(chatId, { answer }, { headers, body, metadata }, signal),
    };
    const settle = () => knownOnPage.settle(this.#requests.keyOf(chatId), known);
    return (async function* () {
      yield* resumingChunks(response, options);
      settle();
    })();
  }
}

/** One reading of an answer, which ends when the page wants that, in one way or the other. */
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

/** Gives the message an id where the answer has none, so that it is the same when told again. */
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

/** Returns true if an answer is to follow: the message is a question, or breaks off in a text. */
function isUnanswered({ role, parts }: PageMessage): boolean {
  if (role !== "assistant") return role === "user";
  return parts.some(({ state }) => state === "streaming" || state === "input-streaming");
}
