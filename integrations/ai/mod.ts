/**
 * Answers of the AI SDK (`ai` on npm) that survive a reload, a change of device and a restart of the
 * server that a page reads from. The stream is stored in a task, and `useChat` resumes from there.
 *
 * @example The two routes of a chat
 * ```ts
 * import { TaskcastChat } from "@taskcast/ai";
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { simulateReadableStream } from "ai";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const chat = new TaskcastChat({ engine });
 *
 * // POST /api/chat; usually streamText({ …, abortSignal: signal }) generates the answer.
 * const response = await chat.respond("c1", ({ signal: _signal }) =>
 *   simulateReadableStream({
 *     chunks: [
 *       { type: "start", messageId: "m1" },
 *       { type: "text-start", id: "1" },
 *       { type: "text-delta", id: "1", delta: "Hello" },
 *       { type: "text-end", id: "1" },
 *       { type: "finish" },
 *     ],
 *   }));
 * assert.match(await response.text(), /"delta":"Hello".*\[DONE\]/s);
 *
 * // GET /api/chat/:id/stream
 * assert.equal((await chat.resume("c1")).status, 204); // The answer is complete.
 * await engine.close();
 * ```
 *
 * @module
 */
export type { AnswerResult, AnswerSource, AnswerStream } from "./answer_source.ts";
export type { TaskcastChatOptions } from "./chat.ts";
export type { AnswerContext, RespondOptions, ResumeOptions } from "./chat_options.ts";
export { TaskcastChat } from "./chat.ts";
export { ANSWER_TYPE, MAX_CHAT_ID_LENGTH } from "./find_answer.ts";
export type { MessageChunk } from "./chunks/chunks.ts";
export type { ChatEngine } from "./tasks/chat_engine.ts";
export type { ChatServer } from "./tasks/remote_tasks.ts";
export type { ChatProtocol } from "./response.ts";
export type { ChatPost, ChatRoutesOptions, HonoSource, RouteSource } from "./routes.ts";
