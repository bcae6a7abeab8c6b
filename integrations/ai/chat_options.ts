import type { CreateTaskInput } from "@taskcast/core/protocol";
import type { AnswerSource } from "./answer_source.ts";

/** The context in which an answer is generated. */
export interface AnswerContext {
  /**
   * Aborts when the answer is stopped or its task ends; pass it to `streamText` as `abortSignal`.
   */
  signal: AbortSignal;
  /** The task that holds the answer. */
  taskId: string;
}

/** Options for {@linkcode TaskcastChat.respond}. */
export interface RespondOptions {
  /**
   * The id of the answered message, 1 to 200 characters. A page that has no part of the answer finds
   * it by this id. @default such a page finds the answer only while it is being generated
   */
  question?: string;
  /** Further fields of the task. Its tags are added to the chat's own. */
  task?: Pick<
    CreateTaskInput,
    "params" | "metadata" | "tags" | "authConfig" | "webhooks" | "cleanup"
  >;
}

/** Options for {@linkcode TaskcastChat.resume}. A `Request` has them in its query. */
export interface ResumeOptions {
  /**
   * The answer that the page has a part of: the id of its task. It is streamed even if it has
   * ended.
   */
  answer?: string;
  /**
   * The last message that the page has. If the newest answer is this message or answers it, it is
   * streamed even if it has ended.
   */
  message?: string;
  /** Ends the response. The answer continues. */
  signal?: AbortSignal;
}

/** The methods of a chat that its routes use. */
export interface RoutedChat {
  /** Answers a message. */
  respond(
    chatId: string,
    answer: (context: AnswerContext) => AnswerSource | Promise<AnswerSource>,
    options: RespondOptions,
  ): Promise<Response>;
  /** Resumes an answer. */
  resume(chatId: string, request: Request): Promise<Response>;
  /** Stops the answers of a chat and returns their number. */
  stop(chatId: string): Promise<number>;
}
