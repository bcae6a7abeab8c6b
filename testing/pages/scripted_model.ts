import { MockLanguageModelV3 } from "ai/test";

type StreamResult = Awaited<ReturnType<MockLanguageModelV3["doStream"]>>;

/** A part of what a model streams. */
export type ModelPart = StreamResult["stream"] extends ReadableStream<infer Part> ? Part : never;

/** Parts that a model streams for one call; it may wait and throw. */
export type Script = (signal: AbortSignal | undefined) => AsyncGenerator<ModelPart, void>;

/** A model of the AI SDK that streams a script for each call, and the last one again and again. */
export function scriptedModel(...scripts: Script[]): MockLanguageModelV3 {
  let calls = 0;
  return new MockLanguageModelV3({
    doStream: ({ abortSignal }) => {
      const script = scripts[Math.min(calls++, scripts.length - 1)]!;
      return Promise.resolve({ stream: ReadableStream.from(script(abortSignal)) });
    },
  });
}

/** A point that a script waits at until it is opened. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();

  /** Resolves when a script waits here. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(): void {
    this.#opened.resolve();
  }

  /** Waits; an abort throws its reason, as the clients of models do. */
  async pass(signal: AbortSignal | undefined): Promise<void> {
    this.#reached.resolve();
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.reject(signal!.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    await Promise.race([this.#opened.promise, aborted.promise]);
    signal?.removeEventListener("abort", abort);
  }
}

/** The parts of a text, in pieces of so many characters. */
export function* textParts(text: string, pieceLength = 3, id = "0"): Generator<ModelPart, void> {
  yield { type: "text-start", id };
  for (let at = 0; at < text.length; at += pieceLength) {
    yield { type: "text-delta", id, delta: text.slice(at, at + pieceLength) };
  }
  yield { type: "text-end", id };
}

/** The last part. */
export function finish(unified: "stop" | "tool-calls" = "stop"): ModelPart {
  return {
    type: "finish",
    finishReason: { unified, raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 1, text: 1, reasoning: undefined },
    },
  };
}
