interface Entry<Kind> {
  kind: Kind;
  taskId: string;
  atMs: number;
}

/**
 * Due times, earliest first, in a binary heap. New times of a task leave its old entries in the
 * heap; an entry is stale if the task has another time, and is dropped when it reaches the top.
 */
export class DueIndex<Kind extends string> {
  readonly #kinds: readonly Kind[];
  readonly #times = new Map<string, Partial<Record<Kind, number>>>();
  #heap: Entry<Kind>[] = [];
  #live = 0;

  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds;
  }

  /** Returns the due times of a task, or `undefined` if it has none. */
  get(taskId: string): Readonly<Partial<Record<Kind, number>>> | undefined {
    return this.#times.get(taskId);
  }

  /** Replaces the due times of a task. */
  set(taskId: string, due: Partial<Record<Kind, number>>): void {
    this.delete(taskId);
    let isAny = false;
    for (const kind of this.#kinds) {
      const atMs = due[kind];
      if (atMs === undefined) continue;
      isAny = true;
      this.#push({ kind, taskId, atMs });
      this.#live++;
    }
    if (!isAny) return;
    this.#times.set(taskId, { ...due });
    this.#compact();
  }

  /** Removes the due times of a task. */
  delete(taskId: string): void {
    const due = this.#times.get(taskId);
    if (due === undefined) return;
    this.#live -= this.#kinds.filter((kind) => due[kind] !== undefined).length;
    this.#times.delete(taskId);
  }

  /** Reads entries that are due at `nowMs`. They stay due. */
  read(nowMs: number, limit: number): { entries: Entry<Kind>[]; nextAtMs?: number } {
    const entries: Entry<Kind>[] = [];
    let nextAtMs: number | undefined;
    const seen = new Set<string>();
    while (this.#heap.length > 0) {
      const entry = this.#heap[0]!;
      const key = `${entry.kind} ${entry.taskId}`;
      const stale = this.#times.get(entry.taskId)?.[entry.kind] !== entry.atMs || seen.has(key);
      if (!stale && (entry.atMs > nowMs || entries.length === limit)) {
        nextAtMs = entry.atMs;
        break;
      }
      this.#pop();
      if (stale) continue;
      seen.add(key);
      entries.push(entry);
    }
    for (const entry of entries) this.#push(entry);
    return nextAtMs === undefined ? { entries } : { entries, nextAtMs };
  }

  /** Drops stale entries once they outnumber the others. */
  #compact(): void {
    if (this.#heap.length < 64 || this.#heap.length < 2 * this.#live) return;
    this.#heap = [];
    for (const [taskId, due] of this.#times) {
      for (const kind of this.#kinds) {
        const atMs = due[kind];
        if (atMs !== undefined) this.#push({ kind, taskId, atMs });
      }
    }
  }

  #push(entry: Entry<Kind>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atMs <= entry.atMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
      if (heap[child]!.atMs >= last.atMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
