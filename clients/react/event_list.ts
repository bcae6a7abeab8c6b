import type { EventEnvelope } from "@taskcast/client";

/** Newest events of a task that are kept, unless a hook asks for more. */
export const DEFAULT_MAX_EVENTS = 1000;

/**
 * The newest events of a task. A snapshot takes the place of what is here of its series, as it
 * says the same, so that what is given again after a reconnect is not here twice.
 */
export class EventList {
  /** May be longer than the capacity, so that cutting costs each event little. */
  #events: EventEnvelope[] = [];
  readonly #heldOfSeries = new Map<string, number>();
  #capacity: number;
  #cut = 0;

  /** @param capacity Events that are kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Keeps more from now on; never fewer. */
  growTo(capacity: number): void {
    if (capacity <= this.#capacity) return;
    this.#cutTo(this.#capacity); // What was no longer shown does not come back.
    this.#capacity = capacity;
  }

  /** Takes an event in. */
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

  /** Drops everything; nothing of it counts as dropped. */
  clear(): void {
    this.#events = [];
    this.#heldOfSeries.clear();
    this.#cut = 0;
  }

  /** Returns the kept events, oldest first, in a new array. */
  newest(): readonly EventEnvelope[] {
    return this.#capacity === 0 ? [] : this.#events.slice(-this.#capacity);
  }

  /** How many were here and are not kept. */
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
