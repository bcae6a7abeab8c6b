import type { EventEnvelope } from "@taskcast/client";

/** Number of events kept, unless a hook asks for more. */
export const DEFAULT_MAX_EVENTS = 1000;

/**
 * The newest events of a task. A snapshot replaces the kept events of its series, since it contains
 * their text. Events that are repeated after a reconnect thus do not appear twice.
 */
export class EventList {
  /** May exceed the capacity up to twice, so that trimming costs little per event. */
  #events: EventEnvelope[] = [];
  readonly #heldOfSeries = new Map<string, number>();
  #capacity: number;
  #cut = 0;

  /** @param capacity Number of events to keep. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Raises the capacity; never lowers it. */
  growTo(capacity: number): void {
    if (capacity <= this.#capacity) return;
    this.#cutTo(this.#capacity); // Events that are already hidden do not come back.
    this.#capacity = capacity;
  }

  /** Adds an event. */
  add(event: EventEnvelope): void {
    const { seriesId, seriesSnapshot } = event;
    if (seriesId !== undefined) {
      const held = this.#heldOfSeries.get(seriesId) ?? 0;
      if (seriesSnapshot && held > 0) {
        this.#events = this.#events.filter((other) => other.seriesId !== seriesId);
      }
      this.#heldOfSeries.set(seriesId, seriesSnapshot ? 1 : held + 1);
    }
    this.#events.push(event);
    if (this.#events.length > 2 * this.#capacity) this.#cutTo(this.#capacity);
  }

  /** Removes all events and resets the count of dropped events. */
  clear(): void {
    this.#events = [];
    this.#heldOfSeries.clear();
    this.#cut = 0;
  }

  /** Returns the kept events, oldest first, in a new array for each call. */
  newest(): readonly EventEnvelope[] {
    return this.#capacity === 0 ? [] : this.#events.slice(-this.#capacity);
  }

  /** Number of events that were added and are no longer kept. */
  get dropped(): number {
    return this.#cut + Math.max(0, this.#events.length - this.#capacity);
  }

  #cutTo(length: number): void {
    const cut = this.#events.splice(0, Math.max(0, this.#events.length - length));
    for (const { seriesId } of cut) {
      if (seriesId === undefined) continue;
      const held = this.#heldOfSeries.get(seriesId)! - 1;
      if (held === 0) this.#heldOfSeries.delete(seriesId);
      else this.#heldOfSeries.set(seriesId, held);
    }
    this.#cut += cut.length;
  }
}
