import type { EventInput } from "@taskcast/core/protocol";
import type { ChunkFields, DeltaKind } from "./chunks.ts";
import { DELTA_KINDS, EVENT_PREFIX } from "./chunks.ts";

/** A text that is being streamed. */
interface OpenText {
  seriesId: string;
  /** First half of a surrogate pair whose second half has not arrived yet; empty otherwise. */
  half: string;
}

/**
 * Converts the chunks of one answer into events. The deltas of each text become a series, so that
 * late readers get the text as a whole. Any other chunk becomes an event that contains it.
 */
export class ChunkWriter {
  readonly #open = new Map<string, OpenText>();
  #texts = 0;

  /**
   * Returns the events for the next chunk: usually one, none for half a character, or two if a half
   * was held back or a delta has other fields.
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
        return [...rest, chunkEvent(chunk)];
      }
    }
    return [chunkEvent(chunk)];
  }
}

function deltaEvents(chunk: ChunkFields, kind: DeltaKind, text: OpenText): EventInput[] {
  const { type: _type, [kind.id]: _id, [kind.text]: delta, ...others } = chunk;
  if (typeof delta !== "string") return [chunkEvent(chunk)];
  const whole = text.half + delta;
  const end = isFirstHalf(whole.at(-1)) ? whole.length - 1 : whole.length;
  text.half = whole.slice(end);
  const events: EventInput[] = [];
  if (end > 0) events.push(appendEvent(chunk, kind, text.seriesId, whole.slice(0, end)));
  // Other fields of a delta become an event of their own, since a snapshot has only the newest ones.
  if (Object.values(others).some((value) => value !== undefined)) {
    events.push(chunkEvent({ ...chunk, [kind.text]: "" }));
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

function chunkEvent(chunk: ChunkFields): EventInput {
  // Converted as the AI SDK does it: values without a form in JSON are left out or become text.
  return { type: EVENT_PREFIX + chunk.type, data: JSON.parse(JSON.stringify(chunk)) };
}

/** Returns whether a UTF-16 code unit is the first of a surrogate pair. */
function isFirstHalf(unit: string | undefined): boolean {
  return unit !== undefined && unit >= "\uD800" && unit <= "\uDBFF";
}
