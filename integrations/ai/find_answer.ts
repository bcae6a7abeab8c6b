import type { Task } from "@taskcast/core/protocol";
import { invalidInput, isTerminal, TASK_ID_PATTERN } from "@taskcast/core/protocol";
import type { ResumeQuery } from "./answer_names.ts";
import type { ChatTasks } from "./tasks/chat_tasks.ts";
import { chunksOfAnswer } from "./chunks/chunks_of_answer.ts";

/** Type of the tasks that hold answers. */
export const ANSWER_TYPE = "ai.chat";

/** Maximum length of a chat's id in characters. */
export const MAX_CHAT_ID_LENGTH = 200;

/**
 * Finds the answer for a page that resumes: the one that it has a part of, ended or not, or else the
 * chat's newest one, if it is being generated or is what `message` refers to.
 *
 * @throws {TaskcastError} `INVALID_INPUT` for an invalid chat id.
 */
export async function findAnswer(
  tasks: ChatTasks,
  chatId: string,
  { answer, message }: ResumeQuery,
): Promise<Task | undefined> {
  const query = answersOf(chatId);
  if (answer !== undefined && TASK_ID_PATTERN.test(answer)) {
    const task = await tasks.get(answer);
    // A page may send any task's id, so the task must belong to the chat.
    if (task?.type === ANSWER_TYPE && task.tags?.includes(query.tag)) return task;
  }
  const { tasks: [newest] } = await tasks.list({ ...query, limit: 1 });
  if (newest === undefined || !isTerminal(newest.status)) return newest;
  const isMeant = isId(message) && await isAbout(tasks, newest, message);
  return isMeant ? newest : undefined;
}

/** Returns whether an answer is the given message, or the answer to it. */
async function isAbout(tasks: ChatTasks, task: Task, message: string): Promise<boolean> {
  if (task.id === message || task.tags?.includes(questionTag(message))) return true;
  const reading = new AbortController();
  const chunks = chunksOfAnswer(tasks, task.id, reading.signal);
  try {
    const { value } = await chunks.next();
    return value?.type === "start" && value.messageId === message;
  } finally {
    reading.abort();
    await chunks.return();
  }
}

/** Returns the query for all answers of a chat. */
export function answersOf(chatId: string): { types: string[]; tag: string } {
  return { types: [ANSWER_TYPE], tag: chatTag(chatId) };
}

/** Returns the tag of a chat. */
export function chatTag(chatId: string): string {
  if (!isId(chatId)) {
    throw invalidInput("chatId", `must have 1 to ${MAX_CHAT_ID_LENGTH} characters`);
  }
  return `chat:${chatId}`;
}

/** Returns the tag of the answered message. */
export function questionTag(messageId: string): string {
  if (!isId(messageId)) {
    throw invalidInput("question", `must have 1 to ${MAX_CHAT_ID_LENGTH} characters`);
  }
  return `question:${messageId}`;
}

function isId(id: unknown): id is string {
  return typeof id === "string" && id !== "" && id.length <= MAX_CHAT_ID_LENGTH;
}
