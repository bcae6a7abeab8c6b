import { MockLanguageModelV3 } from "ai/test";

type StreamResult = Awaited<ReturnType<MockLanguageModelV3["doStream"]>>;

/** A part of a model's stream. */
export type ModelPart = StreamResult["stream"] extends ReadableStream<infer Part> ? Part : never;

/** Yields the parts of a model's stream for one call; may wait and throw. */
export type Script = (signal: AbortSignal | undefined) => AsyncGenerator<ModelPart, void>;

/** Returns a model of the AI SDK that plays one script for each call, and repeats the last one. */
export function scriptedModel(...scripts: Script[]): MockLanguageModelV3 {
  let calls = 0;
  return new MockLanguageModelV3({
    doStream: ({ abortSignal }) => {
      const script = scripts[Math.min(calls++, scripts.length - 1)]!;
      return Promise.resolve({ stream: ReadableStream.from(script(abortSignal)) });
    },
  });
}

/** A point at which a script waits until it is opened. */
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

  /** Waits. An abort throws its reason, as in the clients of models. */
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

/** Yields the parts of a text, in pieces of this length. */
export function* textParts(text: string, pieceLength = 3, id = "0"): Generator<ModelPart, void> {
  yield { type: "text-start", id };
  for (let at = 0; at < text.length; at += pieceLength) {
    yield { type: "text-delta", id, delta: text.slice(at, at + pieceLength) };
  }
  yield { type: "text-end", id };
}

/** Returns the last part. */
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
