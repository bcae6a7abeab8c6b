import type { ChunkFields } from "./chunks.ts";
import { DELTA_KINDS } from "./chunks.ts";

/** Thrown when a repeated answer differs from what was delivered. */
export class OtherAnswerError extends TypeError {
  /**
   * Creates the error. The AI SDK recognizes a lost connection by "network error" in the message, and
   * starts over when it resumes.
   */
  constructor() {
    super("network error: a part of the answer was lost; resume to read it anew");
  }
}

/** Filter for one reading of an answer from its beginning. */
export interface Delivery {
  /**
   * Adds the next chunk.
   *
   * @returns The part of it that was not delivered before.
   * @throws {OtherAnswerError} If it differs from what was delivered before.
   */
  freshOf(chunk: ChunkFields): ChunkFields | undefined;
  /** Ends the delivery. @throws {OtherAnswerError} If an earlier delivery had more. */
  end(): void;
}

/**
 * Keeps the delivered chunks of an answer. When the answer is read again from its beginning, only
 * new chunks are passed on.
 *
 * A repeated answer has the same chunks in the same order, except that deltas of a text may be merged
 * at the position of the newest. If the store lost a part of the answer, chunks may differ. That is
 * an error, because delivered chunks cannot be withdrawn.
 */
export class DeliveredChunks {
  /** Chunks other than deltas, as JSON. */
  readonly #others: string[] = [];
  /** Delivered texts by number, because the next step of an answer uses the same ids again. */
  readonly #texts: string[] = [];

  /** Begins a delivery of the answer from its first chunk. */
  begin(): Delivery {
    let others = 0;
    const lengths: number[] = [];
    const open = new Map<string, number>();
    return {
      freshOf: (chunk) => {
        for (const [name, kind] of Object.entries(DELTA_KINDS)) {
          const key = `${name} ${chunk[kind.id]}`;
          if (chunk.type === kind.start) {
            open.set(key, lengths.length);
            lengths.push(0);
          } else if (chunk.type === kind.delta) {
            const text = open.get(key);
            const delta = chunk[kind.text];
            // A delta without text has other fields, and is treated like any other chunk.
            if (text === undefined || typeof delta !== "string" || delta === "") continue;
            const fresh = this.#freshText(text, lengths[text]!, delta);
            lengths[text]! += delta.length;
            return fresh === "" ? undefined : { ...chunk, [kind.text]: fresh };
          }
        }
        return this.#isDelivered(others++, JSON.stringify(chunk)) ? undefined : chunk;
      },
      end: () => {
        const isWhole = others === this.#others.length &&
          this.#texts.every((text, i) => text.length === lengths[i]);
        if (!isWhole) throw new OtherAnswerError();
      },
    };
  }

  #freshText(text: number, at: number, delta: string): string {
    const delivered = this.#texts[text] ?? "";
    const again = at < delivered.length ? delivered.slice(at, at + delta.length) : "";
    if (!delta.startsWith(again)) throw new OtherAnswerError();
    const fresh = delta.slice(again.length);
    this.#texts[text] = delivered + fresh;
    return fresh;
  }

  #isDelivered(at: number, chunk: string): boolean {
    if (at >= this.#others.length) {
      this.#others.push(chunk);
      return false;
    }
    if (this.#others[at] !== chunk) throw new OtherAnswerError();
    return true;
  }
}
