/** Header of a response that tells an answer: the id of the answer's task. */
export const ANSWER_HEADER = "taskcast-answer";

/** Parameters of the request from which a page resumes. */
export interface ResumeQuery {
  /** The answer that the page has a part of: the id of its task. */
  answer?: string;
  /** The last message that the page has: the question, or the part of the answer that it knows. */
  message?: string;
}

/** Returns the facts about the page in a request to resume. */
export function resumeQueryOf(url: string): ResumeQuery {
  const params = new URL(url, "http://localhost").searchParams;
  return {
    answer: params.get("answer") ?? undefined,
    message: params.get("message") ?? undefined,
  };
}
