import { TaskcastError } from "@taskcast/core/protocol";

/**
 * Reads a JSON object from a request.
 *
 * @throws {TaskcastError} `UNSUPPORTED_MEDIA_TYPE` unless the content type is JSON (pages of other
 * origins then need a preflight), `PAYLOAD_TOO_LARGE`, or `INVALID_INPUT`.
 */
export async function readJson(
  request: Request,
  maxBytes: number,
): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    const message = 'The body must be JSON: send "content-type: application/json"';
    throw new TaskcastError("UNSUPPORTED_MEDIA_TYPE", message);
  }
  const text = await readText(request, maxBytes);
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Reported below.
  }
  throw new TaskcastError("INVALID_INPUT", "The body must be a JSON object");
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TaskcastError("PAYLOAD_TOO_LARGE", `The body has more than ${maxBytes} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
