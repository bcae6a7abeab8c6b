import type { EventInput } from "@taskcast/core/protocol";
import type { ChunkFields, DeltaKind } from "./chunks.ts";
import { DELTA_KINDS, EVENT_PREFIX } from "./chunks.ts";

/** A text that is being streamed. */
interface OpenText {
  seriesId: string;
  /** The first half of a character whose second half has not arrived yet. */
  half: string;
}

/**
 * Converts the chunks of one answer into events. The deltas of each text become a series, so that
 * late readers get it as a whole; any other chunk becomes an event that contains it.
 */
export class ChunkWriter {
  readonly #open = new Map<string, OpenText>();
  #texts = 0;

  /**
   * Returns the events for the next chunk: usually one, but none or two where that is equivalent.
   *
   * @throws {TypeError} If the chunk cannot be written as JSON.
   */
  eventsOf(chunk: ChunkFields): EventInput[] {
    for (const [name, kind] of Object.entries(DELTA_KINDS)) {
      const key = `${name} ${chunk[kind.id]}`;
      const text = this.#open.get(key);
      if (chunk.type === kind.start) {
        // Ids are reused in the next step of an answer, so they cannot name a series.
        this.#open.set(key, { seriesId: `${name}:${this.#texts++}`, half: "" });
      } else if (chunk.type === kind.delta && text !== undefined) {
        return deltaEvents(chunk, kind, text);
      } else if (kind.ends.includes(chunk.type) && text !== undefined) {
        this.#open.delete(key);
        const rest = text.half === "" ? [] : [appendEvent(chunk, kind, text.seriesId, text.half)];
        return [...rest, plainEvent(chunk)];
      }
    }
    return [plainEvent(chunk)];
  }
}

function deltaEvents(chunk: ChunkFields, kind: DeltaKind, text: OpenText): EventInput[] {
  const { type: _type, [kind.id]: _id, [kind.text]: delta, ...others } = chunk;
  if (typeof delta !== "string") return [plainEvent(chunk)];
  const whole = text.half + delta;
  const end = isFirstHalf(whole.at(-1)) ? whole.length - 1 : whole.length;
  text.half = whole.slice(end);
  const events: EventInput[] = [];
  if (end > 0) events.push(appendEvent(chunk, kind, text.seriesId, whole.slice(0, end)));
  // A snapshot contains only the other fields of the newest delta, so these are sent on their own.
  if (Object.values(others).some((value) => value !== undefined)) {
    events.push(plainEvent({ ...chunk, [kind.text]: "" }));
  }
  return events;
}

function appendEvent(
  chunk: ChunkFields,
  kind: DeltaKind,
  seriesId: string,
  text: string,
): EventInput {
  return {
    type: EVENT_PREFIX + kind.delta,
    data: { type: kind.delta, [kind.id]: chunk[kind.id], [kind.text]: text },
    seriesId,
    seriesMode: "accumulate",
    seriesAccField: kind.text,
  };
}

function plainEvent(chunk: ChunkFields): EventInput {
  // As the AI SDK sends it: values that JSON lacks are left out or become text.
  return { type: EVENT_PREFIX + chunk.type, data: JSON.parse(JSON.stringify(chunk)) };
}

/** Returns whether a UTF-16 unit is the first of a pair. */
function isFirstHalf(unit: string | undefined): boolean {
  return unit !== undefined && unit >= "\uD800" && unit <= "\uDBFF";
}
