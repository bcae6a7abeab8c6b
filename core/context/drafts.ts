import type { EventDraft } from "../contracts/records.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { accumulatedValue } from "../protocol/accumulated.ts";
import type { EventInput } from "../protocol/event.ts";
import { DEFAULT_ACC_FIELD } from "../protocol/event.ts";
import type { Limits } from "../protocol/limits.ts";
import { random40 } from "../protocol/ulid.ts";
import type { ServerEvent } from "../domain/transitions/transition.ts";
import { utf8Bytes } from "../domain/validate/checks.ts";
import { assertEvent } from "../domain/validate/event.ts";

/**
 * Returns the draft of a producer's event.
 *
 * @param path Its path in the request, for error messages.
 * @throws {TaskcastError} `INVALID_INPUT`, `PAYLOAD_TOO_LARGE`.
 */
export function draftOf(input: EventInput, path: string, limits: Limits): EventDraft {
  assertEvent(input, path, limits);
  const data = JSON.stringify(input.data);
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need not be measured.
  if (data.length * 3 > limits.maxEventBytes && utf8Bytes(data) > limits.maxEventBytes) {
    throw new TaskcastError(
      "PAYLOAD_TOO_LARGE",
      `"${path === "" ? "data" : `${path}.data`}" must have at most ${limits.maxEventBytes} bytes`,
      { details: { path, maxBytes: limits.maxEventBytes } },
    );
  }
  const draft: EventDraft = {
    entropy: random40(),
    type: input.type,
    level: input.level ?? "info",
    data,
  };
  if (input.seriesId !== undefined) {
    draft.seriesId = input.seriesId;
    draft.seriesMode = input.seriesMode;
    draft.accField = input.seriesAccField ?? DEFAULT_ACC_FIELD;
    const delta = accumulatedValue(input.data, draft.accField);
    if (typeof delta === "string") draft.delta = delta;
    else if (delta === undefined && input.seriesMode === undefined) draft.mustNotAccumulate = true;
  }
  if (input.producerId !== undefined) {
    draft.producer = {
      id: input.producerId,
      epoch: input.producerEpoch ?? 0,
      seq: input.producerSeq!,
    };
  }
  return draft;
}

/**
 * Returns the drafts of a batch of events.
 *
 * @throws {TaskcastError} `INVALID_INPUT`, `PAYLOAD_TOO_LARGE`.
 */
export function draftsOf(events: readonly EventInput[], limits: Limits): EventDraft[] {
  const { maxBatchEvents } = limits;
  if (!Array.isArray(events) || events.length > maxBatchEvents) {
    throw new TaskcastError(
      "INVALID_INPUT",
      `The body must be an array of at most ${maxBatchEvents} events; send more in further requests`,
      { details: { path: "", maxBatchEvents } },
    );
  }
  const drafts: EventDraft[] = [];
  // Not map(), which skips holes.
  for (let i = 0; i < events.length; i++) drafts.push(draftOf(events[i]!, `[${i}]`, limits));
  return drafts;
}

/** Returns the draft of one of the server's own events. */
export function serverDraft({ type, data }: ServerEvent): EventDraft {
  return { entropy: random40(), type, level: "info", data: JSON.stringify(data) };
}
