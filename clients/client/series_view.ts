import type { EventEnvelope } from "@taskcast/core/protocol";
import { accumulatedValue, DEFAULT_ACC_FIELD } from "@taskcast/core/protocol";

interface Series {
  /** An accumulated text in parts, joined when it is read. */
  parts?: string[];
  /** Data of the newest event. */
  data?: unknown;
}

/**
 * Current values of a task's series, updated with every event. In an accumulate series, a snapshot
 * replaces the text and any other event appends to it, so the text stays correct after a reconnect.
 *
 * @example
 * ```ts
 * import { SeriesView } from "@taskcast/client";
 * import assert from "node:assert/strict";
 *
 * const view = new SeriesView();
 * const event = { type: "llm.delta", seriesId: "answer", seriesMode: "accumulate" } as const;
 * view.add({ ...event, data: { delta: "Hello" }, seriesSnapshot: true });
 * view.add({ ...event, data: { delta: " world" } });
 * assert.equal(view.text("answer"), "Hello world");
 * ```
 */
export class SeriesView {
  readonly #series = new Map<string, Series>();

  /** Applies an event, in time that does not depend on the length of the series. */
  add(
    event: Pick<
      EventEnvelope,
      "data" | "seriesId" | "seriesMode" | "seriesAccField" | "seriesSnapshot"
    >,
  ): void {
    const { data, seriesId, seriesMode, seriesAccField = DEFAULT_ACC_FIELD, seriesSnapshot } =
      event;
    if (seriesId === undefined || seriesMode === undefined || seriesMode === "keep-all") return;
    const delta = seriesMode === "accumulate" ? accumulatedValue(data, seriesAccField) : undefined;
    if (typeof delta !== "string") {
      this.#series.set(seriesId, { data });
      return;
    }
    const parts = this.#series.get(seriesId)?.parts;
    if (parts === undefined || seriesSnapshot) this.#series.set(seriesId, { parts: [delta], data });
    else {
      parts.push(delta);
      this.#series.get(seriesId)!.data = data;
    }
  }

  /** Drops all values. Call it after `taskcast.open` with `reset`; all events follow again. */
  clear(): void {
    this.#series.clear();
  }

  /** Returns the whole text of an accumulate series, or an empty text. */
  text(seriesId: string): string {
    const series = this.#series.get(seriesId);
    if (series?.parts === undefined) return "";
    if (series.parts.length > 1) series.parts = [series.parts.join("")];
    return series.parts[0]!;
  }

  /** Returns the data of a series' newest event; `undefined` if there was none. */
  latest(seriesId: string): unknown {
    return this.#series.get(seriesId)?.data;
  }

  /** Ids of the series that had an event. */
  get ids(): string[] {
    return [...this.#series.keys()];
  }
}
