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

/** How the routes of a chat are made. */
export interface ChatAppOptions {
  chat: TaskcastChat;
  model: LanguageModel;
  tools?: ToolSet;
  /** The answer is streamed as nothing but text. */
  asText?: boolean;
  /** @default a free one */
  port?: number;
  /** Called with each answer, as where it is put away. */
  onFinish?: (message: UIMessage, isAborted: boolean) => void | Promise<void>;
}

/** The routes that `useChat` wants, as users write them, on a free port of loopback. */
export interface ChatApp {
  api: string;
  transport: DefaultChatTransport<UIMessage>;
  /** How many posts were made. */
  readonly posts: number;
  /** Ends all connections at once. */
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
        onError: () => {}, // Otherwise it goes to the console.
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

/** Parts of a page that talks to a chat. */
export interface ChatApi {
  transport: ChatTransport<UIMessage>;
}

/** A message of the user. */
export function userMessage(text = "Hi"): UIMessage {
  return { id: "question", role: "user", parts: [{ type: "text", text }] };
}

/** Posts a message; the chunks of the answer. */
export function post(app: ChatApi, chatId = "c1"): Promise<ReadableStream<UIMessageChunk>> {
  return app.transport.sendMessages({
    chatId,
    messages: [userMessage()],
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
}

/** Resumes; the chunks of the answer, or `null` when there is none. */
export function resume(
  app: ChatApi,
  chatId = "c1",
): Promise<ReadableStream<UIMessageChunk> | null> {
  return app.transport.reconnectToStream({ chatId });
}

/** The message that chunks amount to. Rejects with what they tell of an error. */
export async function messageOf(stream: ReadableStream<UIMessageChunk> | null): Promise<UIMessage> {
  if (stream === null) throw new Error("nothing is under way");
  let message: UIMessage | undefined;
  for await (message of readUIMessageStream({ stream, terminateOnError: true }));
  return message!;
}

/** A chat whose tasks are in an engine, or on the server at a URL. */
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
