import type { UseChatHelpers } from "@ai-sdk/react";
import type { UIMessage } from "ai";
import { DefaultChatTransport } from "ai";
import { JSDOM } from "jsdom";
import { until } from "../sse/sse.ts";

/** A page with a chat. */
export interface ChatPage {
  /** Current value of `useChat`. */
  readonly chat: UseChatHelpers<UIMessage>;
  /** Waits until the chat has this status. */
  settled(status: UseChatHelpers<UIMessage>["status"]): Promise<void>;
  /** Waits until the newest message contains this text. */
  shows(text: string): Promise<void>;
  /** Closes the page. */
  close(): Promise<void>;
}

/** React looks for its document when it is loaded, so it is loaded here. */
const { window } = new JSDOM("", { url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });
const { useChat } = await import("@ai-sdk/react");
const { createElement, StrictMode, useEffect } = await import("react");
const { createRoot } = await import("react-dom/client");

/** Opens a page that resumes, like a reloaded one, in StrictMode. */
export async function openPage(
  { api, messages = [], chatId = "c1" }: { api: string; messages?: UIMessage[]; chatId?: string },
): Promise<ChatPage> {
  let chat: UseChatHelpers<UIMessage> | undefined;
  const requests = { made: 0, answered: 0 };
  let effects = 0;
  const transport = new DefaultChatTransport<UIMessage>({
    api,
    async fetch(input, init) {
      requests.made++;
      return await fetch(input, init).finally(() => requests.answered++);
    },
  });
  function Page() {
    chat = useChat({ id: chatId, messages, resume: true, transport });
    useEffect(() => void effects++, []);
    return createElement("p", null, textOf(chat.messages));
  }
  const element = window.document.createElement("div");
  const root = createRoot(element);
  root.render(createElement(StrictMode, null, createElement(Page)));
  // StrictMode mounts twice, and stops what the first mount has sent.
  const isOpen = () => effects === 2 && requests.made > 0 && requests.made === requests.answered;
  await until(isOpen, "the page is open and has asked for what it can resume");
  return {
    get chat() {
      return chat!;
    },
    settled: (status) => until(() => chat!.status === status, `the chat is ${status}`),
    shows: (text) => until(() => element.textContent.includes(text), `the page shows ${text}`),
    async close() {
      root.unmount();
      await chat!.stop();
    },
  };
}

function textOf(messages: UIMessage[]): string {
  return (messages.at(-1)?.parts ?? [])
    .map((part) => part.type === "text" ? part.text : "").join("");
}
