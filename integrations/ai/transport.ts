/**
 * The page's side of chats with the AI SDK: a transport for `useChat` that tells an answer to its
 * end, whatever happens to the connection or while the page is away. It needs nothing of a server.
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
