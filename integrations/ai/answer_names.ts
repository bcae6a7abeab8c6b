/** Header of a response with the id of the answer's task. */
export const ANSWER_HEADER = "taskcast-answer";

/** Query parameters of a request that resumes an answer. */
export interface ResumeQuery {
  /** The answer that the page has a part of: the id of its task. */
  answer?: string;
  /** The last message that the page has: the question, or the known part of the answer. */
  message?: string;
}

/** Reads the query parameters of a request that resumes an answer. */
export function resumeQueryOf(url: string): ResumeQuery {
  const params = new URL(url, "http://localhost").searchParams;
  return {
    answer: params.get("answer") ?? undefined,
    message: params.get("message") ?? undefined,
  };
}
