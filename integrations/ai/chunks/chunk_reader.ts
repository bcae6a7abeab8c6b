import type { DoneReason, EventEnvelope } from "@taskcast/core/protocol";
import { accumulatedValue, DEFAULT_ACC_FIELD, SERVER_EVENT } from "@taskcast/core/protocol";
import type { ChunkFields } from "./chunks.ts";
import { EVENT_PREFIX } from "./chunks.ts";

/** Fields of an event that the chunk depends on. */
export type ChunkEvent = Pick<
  EventEnvelope,
  "type" | "data" | "seriesId" | "seriesAccField" | "seriesSnapshot"
>;

/** Types of chunks that end an answer. */
const LAST_CHUNKS = ["finish", "abort", "error"];

/**
 * Converts the events of an answer back into chunks. A snapshot becomes one delta with the text that
 * was not delivered yet, so the message is the same wherever reading begins.
 */
export class ChunkReader {
  /** Number of characters delivered of each text. */
  readonly #delivered = new Map<string, number>();
  #isComplete = false;
  #error?: string;

  /** Returns the chunks of an event; none for events that are not part of the answer. */
  chunksOf({ type, data, seriesId, seriesAccField, seriesSnapshot }: ChunkEvent): ChunkFields[] {
    if (type === SERVER_EVENT.status) {
      const { error } = data as { error?: { message: string } };
      this.#error = error?.message ?? this.#error;
    }
    if (!type.startsWith(EVENT_PREFIX)) return [];
    const chunk = data as ChunkFields;
    if (LAST_CHUNKS.includes(chunk.type)) this.#isComplete = true;
    if (seriesId === undefined) return [chunk];
    const field = seriesAccField ?? DEFAULT_ACC_FIELD;
    const text = accumulatedValue(chunk, field);
    if (typeof text !== "string") return [chunk];
    const delivered = this.#delivered.get(seriesId) ?? 0;
    // After a broken connection, the server repeats the whole text.
    const fresh = seriesSnapshot ? text.slice(delivered) : text;
    this.#delivered.set(seriesId, delivered + fresh.length);
    return fresh === "" ? [] : [{ ...chunk, [field]: fresh }];
  }

  /** Returns the final chunk of a task that ended without one; none if the answer had its own. */
  endOf(reason: DoneReason): ChunkFields[] {
    if (this.#isComplete || reason === "completed") return [];
    if (reason === "cancelled") return [{ type: "abort", reason: "The answer was stopped" }];
    const errorText = reason === "failed" ? this.#error : ENDINGS[reason];
    return [{ type: "error", errorText: errorText ?? "The answer failed" }];
  }
}

const ENDINGS = {
  timeout: "The answer took too long and was stopped",
  deleted: "The answer was deleted",
} as const;
