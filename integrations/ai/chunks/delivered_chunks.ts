import type { ChunkFields } from "./chunks.ts";
import { DELTA_KINDS } from "./chunks.ts";

/** Thrown when a repeated answer differs from what was delivered. */
export class OtherAnswerError extends TypeError {
  /** The AI SDK takes it for a lost connection by its words, and begins anew when it resumes. */
  constructor() {
    super("network error: a part of the answer was lost; resume to read it anew");
  }
}

/** Takes the chunks of an answer that is told, or told again, from its beginning. */
export interface Telling {
  /**
   * Takes the next chunk.
   *
   * @returns What of it is new.
   * @throws {OtherAnswerError} If it is not what was told before.
   */
  freshOf(chunk: ChunkFields): ChunkFields | undefined;
  /** Takes the end. @throws {OtherAnswerError} If more was told before. */
  end(): void;
}

/**
 * Remembers what was told of an answer, so that the answer can be told again from its beginning and
 * only what is new gets through. Told again, an answer has the same chunks in the same order; only
 * the deltas of a text may come together, in the place of the newest of them. An answer of which
 * the store lost a part may have others, and what was told cannot be taken back.
 */
export class ToldChunks {
  /** Chunks other than deltas, as JSON. */
  readonly #others: string[] = [];
  /** Texts by their number: ids come again in the next step of an answer. */
  readonly #texts: string[] = [];

  /** Begins at the beginning. */
  begin(): Telling {
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
            // A delta without text tells something else, and is told once like any other chunk.
            if (text === undefined || typeof delta !== "string" || delta === "") continue;
            const fresh = this.#freshText(text, lengths[text]!, delta);
            lengths[text]! += delta.length;
            return fresh === "" ? undefined : { ...chunk, [kind.text]: fresh };
          }
        }
        return this.#isTold(others++, JSON.stringify(chunk)) ? undefined : chunk;
      },
      end: () => {
        const isWhole = others === this.#others.length &&
          this.#texts.every((text, i) => text.length === lengths[i]);
        if (!isWhole) throw new OtherAnswerError();
      },
    };
  }

  #freshText(text: number, at: number, delta: string): string {
    const told = this.#texts[text] ?? "";
    const again = at < told.length ? told.slice(at, at + delta.length) : "";
    if (!delta.startsWith(again)) throw new OtherAnswerError();
    const fresh = delta.slice(again.length);
    this.#texts[text] = told + fresh;
    return fresh;
  }

  #isTold(at: number, chunk: string): boolean {
    if (at >= this.#others.length) {
      this.#others.push(chunk);
      return false;
    }
    if (this.#others[at] !== chunk) throw new OtherAnswerError();
    return true;
  }
}
