/** A chunk of a UI message as the AI SDK streams it. Other fields depend on the type. */
export interface MessageChunk {
  /** E.g. `text-delta`. */
  readonly type: string;
}

/** A chunk with access to all its fields. */
export type ChunkFields = MessageChunk & Readonly<Record<string, unknown>>;

/** Prefix of the event types of chunks, before the chunk's own type. */
export const EVENT_PREFIX = "ai.";

/** Chunk types and fields of a text that is streamed in parts. */
export interface DeltaKind {
  /** Type that begins the text. */
  start: string;
  /** Type that adds a part. */
  delta: string;
  /** Types that end the text. */
  ends: readonly string[];
  /** Field with the id of the text. */
  id: string;
  /** Field with the part. */
  text: string;
}

/** Every kind of text that is streamed in parts, by the prefix of its series. */
export const DELTA_KINDS: Readonly<Record<string, DeltaKind>> = {
  text: { start: "text-start", delta: "text-delta", ends: ["text-end"], id: "id", text: "delta" },
  reasoning: {
    start: "reasoning-start",
    delta: "reasoning-delta",
    ends: ["reasoning-end"],
    id: "id",
    text: "delta",
  },
  "tool-input": {
    start: "tool-input-start",
    delta: "tool-input-delta",
    ends: ["tool-input-available", "tool-input-error"],
    id: "toolCallId",
    text: "inputTextDelta",
  },
};
