import type { CreateTaskInput } from "@taskcast/core/protocol";
import type { AnswerSource } from "./answer_source.ts";

/** The context in which an answer is made. */
export interface AnswerContext {
  /** Aborts when the answer is stopped or its task ends; for `abortSignal` of `streamText`. */
  signal: AbortSignal;
  /** The task that holds the answer. */
  taskId: string;
}

/** Options for {@linkcode TaskcastChat.respond}. */
export interface RespondOptions {
  /**
   * The id of the message that is answered, 1 to 200 characters: a page that has nothing of the
   * answer yet finds it by this. @default such a page finds it while it is being made
   */
  question?: string;
  /** More that the task is to have; its tags are added to the chat's own. */
  task?: Pick<
    CreateTaskInput,
    "params" | "metadata" | "tags" | "authConfig" | "webhooks" | "cleanup"
  >;
}

/** Options for {@linkcode TaskcastChat.resume}; a `Request` stands for what its query says. */
export interface ResumeOptions {
  /** The answer that the page has a part of: the id of its task. It is told though it has ended. */
  answer?: string;
  /**
   * The last message that the page has. The newest answer is told though it has ended, if it is
   * this message or answers it.
   */
  message?: string;
  /** Ends the reading. The answer goes on. */
  signal?: AbortSignal;
}

/** A chat, as far as its routes need it. */
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
