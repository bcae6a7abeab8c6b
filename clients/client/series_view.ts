import type { EventEnvelope } from "@taskcast/core/protocol";
import { accumulatedValue, DEFAULT_ACC_FIELD } from "@taskcast/core/protocol";

interface Series {
  /** An accumulated text in parts, joined when it is asked for. */
  parts?: string[];
  /** The newest event's data, where the value is no text. */
  data?: unknown;
}

/**
 * Values of a task's series, kept up to date by feeding it every event. It replaces on a
 * snapshot and appends otherwise, so that it is right after any reconnect.
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

  /** Takes an event in. Costs what the event brings, however long the series is. */
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

  /** Drops everything: after `taskcast.open` with `reset`, what is left follows. */
  clear(): void {
    this.#series.clear();
  }

  /** The whole text of an accumulate series; empty while it has none. */
  text(seriesId: string): string {
    const series = this.#series.get(seriesId);
    if (series?.parts === undefined) return "";
    if (series.parts.length > 1) series.parts = [series.parts.join("")];
    return series.parts[0]!;
  }

  /** The data of a series' newest event; `undefined` when there was none. */
  latest(seriesId: string): unknown {
    return this.#series.get(seriesId)?.data;
  }

  /** The series that had an event. */
  get ids(): string[] {
    return [...this.#series.keys()];
  }
}
