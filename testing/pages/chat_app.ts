import { TaskcastChat } from "@taskcast/ai";
import type { TaskcastChatOptions } from "@taskcast/ai";
import { TaskcastClient } from "@taskcast/client";
import type { TaskEngine } from "@taskcast/core";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { ChatTransport, LanguageModel, ToolSet, UIMessage, UIMessageChunk } from "ai";
import {
  convertToModelMessages,
  DefaultChatTransport,
  isStepCount,
  readUIMessageStream,
  streamText,
} from "ai";

/** Settings of a chat's routes. */
export interface ChatAppOptions {
  chat: TaskcastChat;
  model: LanguageModel;
  tools?: ToolSet;
  /** Streams the answer as plain text. */
  asText?: boolean;
  /** @default a free one */
  port?: number;
  /** Called with each answer, where an application would save it. */
  onFinish?: (message: UIMessage, isAborted: boolean) => void | Promise<void>;
}

/** The routes that `useChat` needs, as users write them, on a free port of loopback. */
export interface ChatApp {
  api: string;
  transport: DefaultChatTransport<UIMessage>;
  /** Number of posts. */
  readonly posts: number;
  /** Breaks all connections. */
  cut(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function startChatApp(
  { chat, model, tools = {}, asText = false, port = 0, onFinish }: ChatAppOptions,
): ChatApp {
  let posts = 0;
  const stop = new AbortController();
  const routes = chat.routes<Request>({
    allows: () => true,
    answer: async ({ body, signal }) => {
      const messages: UIMessage[] = body.messages;
      const result = streamText({
        model,
        tools,
        stopWhen: isStepCount(5),
        messages: await convertToModelMessages(messages),
        abortSignal: signal,
        maxRetries: 0,
        onError: () => {}, // The default logs to the console.
      });
      if (asText) return result.textStream;
      return result.toUIMessageStream({
        originalMessages: messages,
        generateMessageId: () => "answer",
        onFinish: ({ responseMessage, isAborted }) => onFinish?.(responseMessage, isAborted),
      });
    },
  });
  const server = Deno.serve(
    { port, hostname: "127.0.0.1", onListen: () => {}, signal: stop.signal },
    (request) => {
      if (request.method === "POST") posts++;
      return routes(request);
    },
  );
  const api = `http://127.0.0.1:${server.addr.port}/api/chat`;
  return {
    api,
    transport: new DefaultChatTransport<UIMessage>({ api }),
    get posts() {
      return posts;
    },
    async cut() {
      stop.abort();
      await server.finished;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** The routes of a chat, for a page. */
export interface ChatApi {
  transport: ChatTransport<UIMessage>;
}

/** Returns a message of the user. */
export function userMessage(text = "Hi"): UIMessage {
  return { id: "question", role: "user", parts: [{ type: "text", text }] };
}

/** Posts a message. Returns the chunks of the answer. */
export function post(app: ChatApi, chatId = "c1"): Promise<ReadableStream<UIMessageChunk>> {
  return app.transport.sendMessages({
    chatId,
    messages: [userMessage()],
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
}

/** Resumes. Returns the chunks of the answer, or `null` if there is none. */
export function resume(
  app: ChatApi,
  chatId = "c1",
): Promise<ReadableStream<UIMessageChunk> | null> {
  return app.transport.reconnectToStream({ chatId });
}

/** Returns the message that chunks amount to. Rejects if they contain an error. */
export async function messageOf(stream: ReadableStream<UIMessageChunk> | null): Promise<UIMessage> {
  if (stream === null) throw new Error("nothing is under way");
  let message: UIMessage | undefined;
  for await (message of readUIMessageStream({ stream, terminateOnError: true }));
  return message!;
}

/** Returns a chat whose tasks are in an engine, or on the server at a URL. */
export function chatOf(
  where: TaskEngine | string,
  options: Omit<TaskcastChatOptions, "engine" | "server" | "client"> = {},
): TaskcastChat {
  if (typeof where !== "string") return new TaskcastChat({ engine: where, ...options });
  return new TaskcastChat({
    server: new TaskcastServerClient({ baseUrl: where }),
    client: new TaskcastClient({ baseUrl: where }),
    ...options,
  });
}
