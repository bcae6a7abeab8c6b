/**
 * The page's side of chats with the AI SDK: a transport for `useChat` that delivers an answer to its
 * end, even if the connection breaks or the page is away for a while. It imports nothing that only
 * servers have.
 *
 * @module
 */
export type {
  ChatRequestOptions,
  ChatRequestsOptions,
  Fetch,
  MessageToPrepare,
  PreparedRequest,
  RequestToPrepare,
  Resolvable,
  SentMessage,
} from "./chat_requests.ts";
export type {
  PageMessage,
  ReconnectOptions,
  SendOptions,
  TaskcastChatTransportOptions,
} from "./chat_transport.ts";
export { TaskcastChatTransport } from "./chat_transport.ts";
export type { ResumeRetryOptions } from "./resuming.ts";
