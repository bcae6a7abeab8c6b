import type { z } from "zod";
import { invalidInput, TaskcastError } from "@taskcast/core/protocol";
import type { BodyLimits } from "./body_limits.ts";
import { problemOf } from "./issue_wording.ts";

/**
 * Checks a value against a schema.
 *
 * @param path Where the value stands in the request, for the message.
 * @throws {TaskcastError} `INVALID_INPUT` with the path of the first field that is wrong.
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

/** The media type of a request's body, without parameters. */
export function mediaType(request: Request): string {
  const type = request.headers.get("content-type") ?? "";
  return type === JSON_TYPE ? type : type.split(";")[0]!.trim().toLowerCase();
}

const JSON_TYPE = "application/json";

/** `PAYLOAD_TOO_LARGE`. */
export function tooLarge(what: string, maxBytes: number): TaskcastError {
  return new TaskcastError("PAYLOAD_TOO_LARGE", `${what} must have at most ${maxBytes} bytes`, {
    details: { maxBytes },
  });
}

/** The client went away in the middle of its body; nobody may be there to read this. */
export function brokenBody(cause: unknown): TaskcastError {
  return new TaskcastError("INVALID_INPUT", "The body ended before it was complete", { cause });
}

/** `UNAUTHORIZED` for what lasts longer than the token that it was begun with. */
export function tokenExpired(): TaskcastError {
  return new TaskcastError("UNAUTHORIZED", "The token has expired: go on with a new one");
}

/**
 * Reads a JSON body.
 *
 * @param options.optional An empty body is an empty object instead of an error.
 * @param options.expiresAtMs Unix milliseconds at which the caller's permission ends.
 * @throws {TaskcastError} `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`,
 * `INVALID_INPUT`, `UNAUTHORIZED` for a body that comes more slowly than the permission lasts.
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

/** Bodies up to this size are read in one piece; they fit into a few packets. */
const SMALL_BYTES = 16 * 1024;

/**
 * Reads a body whole.
 *
 * @throws {TaskcastError} `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`; `INVALID_INPUT` if the client went
 * away.
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
    // Nothing tells how far this has come, so the time is for all of it.
    return await deadlines.watch(request.arrayBuffer(), () => late(timeoutMs));
  } catch (error) {
    throw error instanceof TaskcastError ? error : brokenBody(error);
  }
}

/** Reads a body piece by piece. */
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
    reader.cancel().catch(() => {}); // The rest is not wanted.
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
    `Nothing of the body came for ${timeoutMs} ms: send the request again`,
  );
}

/** Strict, since what is not UTF-8 would be stored as something else than what was sent. */
const decoder = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: AllowSharedBufferSource): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalidInput("", "is not valid UTF-8");
  }
}

/**
 * Requires a body that is not compressed: how large it becomes would only be known afterwards.
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
