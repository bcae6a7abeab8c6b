import type { z } from "zod";
import { invalidInput, TaskcastError } from "@taskcast/core/protocol";
import type { BodyLimits } from "./body_limits.ts";
import { problemOf } from "./issue_wording.ts";

/**
 * Validates a value with a schema.
 *
 * @param path Path of the value in the request, for the message.
 * @throws {TaskcastError} `INVALID_INPUT` with the path of the first invalid field.
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path = "",
): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const keys = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  let at = path;
  for (const key of keys) {
    at += typeof key === "number" ? `[${key}]` : `${at === "" ? "" : "."}${String(key)}`;
  }
  throw invalidInput(at, problemOf(issue));
}

/** Returns the media type of a request's body, without parameters. */
export function mediaType(request: Request): string {
  const type = request.headers.get("content-type") ?? "";
  return type === JSON_TYPE ? type : type.split(";")[0]!.trim().toLowerCase();
}

const JSON_TYPE = "application/json";

/** Returns a `PAYLOAD_TOO_LARGE` error. */
export function tooLarge(what: string, maxBytes: number): TaskcastError {
  return new TaskcastError("PAYLOAD_TOO_LARGE", `${what} must have at most ${maxBytes} bytes`, {
    details: { maxBytes },
  });
}

/**
 * Returns the error for a client that disconnected in the middle of its body. Often nobody is left
 * to read it.
 */
export function brokenBody(cause: unknown): TaskcastError {
  return new TaskcastError("INVALID_INPUT", "The body ended before it was complete", { cause });
}

/** Returns an `UNAUTHORIZED` error for work that outlasts the token with which it began. */
export function tokenExpired(): TaskcastError {
  return new TaskcastError("UNAUTHORIZED", "The token has expired: continue with a new one");
}

/**
 * Reads a JSON body.
 *
 * @param options.optional Treats an empty body as an empty object instead of an error.
 * @param options.expiresAtMs Unix milliseconds at which the caller's permission expires.
 * @throws {TaskcastError} `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`,
 * `INVALID_INPUT`; `UNAUTHORIZED` if the permission expires before the body is complete.
 */
export async function readJson(
  request: Request,
  { optional = false, expiresAtMs, ...limits }: BodyLimits & {
    optional?: boolean;
    expiresAtMs?: number;
  },
): Promise<unknown> {
  assertNotCompressed(request);
  const endsLater = expiresAtMs !== undefined && Date.now() < expiresAtMs;
  const text = decode(await readBytes(request, limits));
  if (endsLater && Date.now() >= expiresAtMs) throw tokenExpired();
  if (optional && text === "") return {};
  const type = mediaType(request);
  if (type !== JSON_TYPE) {
    throw new TaskcastError(
      "UNSUPPORTED_MEDIA_TYPE",
      `The body must be JSON: send "content-type: application/json"${
        type === "" ? "" : `, not "${type}"`
      }`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidInput("", `is not valid JSON: ${(error as Error).message}`);
  }
}

/** Maximum size of bodies that are read in one piece; they fit into a few packets. */
const SMALL_BYTES = 16 * 1024;

/**
 * Reads a whole body.
 *
 * @throws {TaskcastError} `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`; `INVALID_INPUT` if the client
 * disconnected.
 */
export async function readBytes(
  request: Request,
  limits: BodyLimits,
): Promise<AllowSharedBufferSource> {
  const { maxBytes, timeoutMs, deadlines } = limits;
  try {
    const announced = request.headers.get("content-length");
    if (Number(announced) > maxBytes) throw tooLarge("The body", maxBytes);
    if (announced === null || Number(announced) > SMALL_BYTES) {
      return await collect(request.body, limits);
    }
    // The progress is unknown here, so the time applies to the whole body.
    return await deadlines.watch(request.arrayBuffer(), () => late(timeoutMs));
  } catch (error) {
    throw error instanceof TaskcastError ? error : brokenBody(error);
  }
}

/** Reads a body in pieces. */
async function collect(
  body: Request["body"],
  { maxBytes, timeoutMs, deadlines }: BodyLimits,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { value, done } = await deadlines.watch(reader.read(), () => late(timeoutMs));
      if (done) break;
      bytes += value.length;
      if (bytes > maxBytes) throw tooLarge("The body", maxBytes);
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {}); // Cancels the rest.
    throw error;
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function late(timeoutMs: number): TaskcastError {
  return new TaskcastError(
    "REQUEST_TIMEOUT",
    `No data of the body arrived for ${timeoutMs} ms: send the request again`,
  );
}

/** Strict, since a lenient decoder would store something other than what was sent. */
const decoder = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: AllowSharedBufferSource): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalidInput("", "is not valid UTF-8");
  }
}

/**
 * Requires an uncompressed body: the size of a compressed one is known only after reading it.
 *
 * @throws {TaskcastError} `UNSUPPORTED_MEDIA_TYPE`.
 */
export function assertNotCompressed({ headers }: Request): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return;
  throw new TaskcastError(
    "UNSUPPORTED_MEDIA_TYPE",
    `The body must not be compressed, and has "content-encoding: ${encoding}"`,
  );
}
