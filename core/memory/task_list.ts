import type { TaskRecord } from "../contracts/records.ts";

/** Number of keys at the end that are compared one by one. */
const NEAR = 64;

interface Key {
  createdAt: number;
  id: string;
}

/** Tasks by `createdAt` and then `id`, ascending. */
export class TaskList {
  readonly #keys: Key[] = [];

  /** Adds a task: at the end, unless the clock went back. */
  add({ task: { createdAt, id } }: TaskRecord): void {
    const key = { createdAt, id };
    const place = this.#placeNearEnd(key) ?? this.#placeOf(key);
    if (place === this.#keys.length) this.#keys.push(key);
    else this.#keys.splice(place, 0, key);
  }

  /** Removes a task. */
  delete({ task }: TaskRecord): void {
    const place = this.#placeOf(task);
    if (this.#keys[place]?.id === task.id) this.#keys.splice(place, 1);
  }

  /** Ids, newest first, of the tasks that come after `after` in that order. */
  *newestFirst(after?: Key): Generator<string, void> {
    const start = after === undefined ? this.#keys.length : this.#placeOf(after);
    for (let place = start - 1; place >= 0; place--) yield this.#keys[place]!.id;
  }

  /**
   * Finds the position of a new key near the end. Ids of one millisecond have any order, but nearly
   * every key belongs near the end, and a binary search would touch memory across the whole list.
   */
  #placeNearEnd(key: Key): number | undefined {
    const least = Math.max(0, this.#keys.length - NEAR);
    let place = this.#keys.length;
    while (place > least && isBelow(key, this.#keys[place - 1]!)) place--;
    return place > least || place === 0 ? place : undefined;
  }

  /** Returns the position at which a key is or would be inserted. */
  #placeOf(key: Key): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(this.#keys[middle]!, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBelow(a: Key, b: Key): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id);
}
