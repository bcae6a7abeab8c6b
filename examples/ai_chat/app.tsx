/** @jsxRuntime automatic */
/** @jsxImportSource react */
import { useChat } from "@ai-sdk/react";
import { TaskcastChatTransport } from "@taskcast/ai/transport";
import type { UIMessage } from "ai";
import type { ReactElement } from "react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

// Your own project has the types of the DOM; this repository is checked without them.
declare const document: { getElementById(id: string): Parameters<typeof createRoot>[0] | null };

// The chat's id is in the address, so a reload or another window shows the same chat.
const id = location.hash.slice(1) || crypto.randomUUID();
location.hash = id;
const savedMessages: UIMessage[] = await (await fetch(`chats/${id}`)).json();
const transport = new TaskcastChatTransport<UIMessage>({
  api: "api/chat",
  messages: savedMessages,
});

function Page(): ReactElement {
  const { messages, sendMessage, status, error, stop, resumeStream } = useChat({
    id,
    messages: savedMessages,
    transport,
    resume: true,
  });
  const isAnswering = status === "submitted" || status === "streaming";
  return (
    <>
      <h1>A chat</h1>
      {messages.map((message) => (
        <p key={message.id} className={message.role}>
          {message.parts.map((part) => part.type === "text" ? part.text : "")}
        </p>
      ))}
      <p className="state" role="status">{error === undefined ? status : error.message}</p>
      <form
        action={(form) => void sendMessage({ text: String(form.get("text")) })}
      >
        <input name="text" placeholder="Ask something" required />
        <button type="submit" disabled={isAnswering}>Send</button>
        {/* Ends the answer for all readers. */}
        <button type="button" onClick={() => void transport.stop(id)}>Stop</button>
        {/* These close and reopen this page's connection only. The answer continues. */}
        <button type="button" onClick={() => void stop()}>Leave</button>
        <button type="button" onClick={() => void resumeStream()}>Come back</button>
      </form>
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
