/** A part of a UI message as the AI SDK streams it; what else it holds depends on its type. */
export interface MessageChunk {
  /** E.g. `text-delta`. */
  readonly type: string;
}

/** A chunk whose fields are looked at. */
export type ChunkFields = MessageChunk & Readonly<Record<string, unknown>>;

/** Prefix of the event types of chunks, before the chunk's own type. */
export const EVENT_PREFIX = "ai.";

/** Chunks that bring a part of a text, and where they have it. */
export interface DeltaKind {
  /** Begins the text. */
  start: string;
  /** Brings a part. */
  delta: string;
  /** End the text. */
  ends: readonly string[];
  /** The field that names the text. */
  id: string;
  /** The field that the part is in. */
  text: string;
}

/** Every kind of text that is streamed in parts, by the name that its series get. */
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
