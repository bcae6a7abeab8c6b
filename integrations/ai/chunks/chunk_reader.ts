import type { DoneReason, EventEnvelope } from "@taskcast/core/protocol";
import { accumulatedValue, DEFAULT_ACC_FIELD, SERVER_EVENT } from "@taskcast/core/protocol";
import type { ChunkFields } from "./chunks.ts";
import { EVENT_PREFIX } from "./chunks.ts";

/** Fields of an event that make its chunk. */
export type ChunkEvent = Pick<
  EventEnvelope,
  "type" | "data" | "seriesId" | "seriesAccField" | "seriesSnapshot"
>;

/** Chunks after which nothing need be added. */
const LAST_CHUNKS = ["finish", "abort", "error"];

/**
 * Turns the events of an answer back into chunks that give the same message, from wherever they are
 * read: a snapshot becomes one delta with what of the text was not told yet.
 */
export class ChunkReader {
  /** Characters that were told of each text. */
  readonly #told = new Map<string, number>();
  #isComplete = false;
  #error?: string;

  /** The chunks that an event stands for; none for events of others. */
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
    const told = this.#told.get(seriesId) ?? 0;
    // After a connection to the server broke, texts are told as a whole again.
    const fresh = seriesSnapshot ? text.slice(told) : text;
    this.#told.set(seriesId, told + fresh.length);
    return fresh === "" ? [] : [{ ...chunk, [field]: fresh }];
  }

  /** Returns the final chunks of an answer that did not send them itself. */
  endOf(reason: DoneReason): ChunkFields[] {
    if (this.#isComplete || reason === "completed") return [];
    if (reason === "cancelled") return [{ type: "abort", reason: "The answer was stopped" }];
    const errorText = reason === "failed" ? this.#error : ENDINGS[reason];
    return [{ type: "error", errorText: errorText ?? "The answer failed" }];
  }
}

const ENDINGS = {
  timeout: "The answer took too long and was given up",
  deleted: "The answer was deleted",
} as const;
