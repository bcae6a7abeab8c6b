/**
 * A `fetch` for EventSource with short reconnection delays: the real ones are for real networks,
 * and the one after the end is half a minute.
 */
export const hurriedFetch = async (
  url: string | URL,
  init: RequestInit,
): Promise<Response> => {
  const answer = await fetch(url, init);
  if (answer.body === null) return answer;
  const hurry = new TransformStream<string, string>({
    transform: (text, controller) => controller.enqueue(hurried(text)),
  });
  const body = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(hurry)
    .pipeThrough(new TextEncoderStream());
  return new Response(body, answer);
};

/** Returns the text of a stream with short delays. */
export function hurried(text: string): string {
  return text.replaceAll(/^retry: \d+$/gm, "retry: 1");
}
