import type { DueKind, Work } from "@taskcast/core/adapter";
import type { Level } from "@taskcast/core/protocol";
import type { KvKey, KvKeyPart, KvSelector } from "./connection/kv.ts";

/*
 * How data lies, and why.
 *
 * Two ways were weighed. One keeps a log in pages, a value of many events each: few keys, but each
 * token writes its page again, and reading by a filter reads pages for single events. The other,
 * which this is, keeps each event under a key of its own, with an entry for its place in its class:
 * a commit writes more and smaller values, which Deno KV takes in one atomic operation all the
 * same, and a read costs what it returns.
 *
 * Every change of a task checks and writes its head, so that commits happen one after another and
 * what a process remembers of a task is right as long as the version of its head is. Events are
 * never changed, and those behind the length that the head says are not there yet.
 *
 * A task's data lies under a name that is made when the task is created (`life`), so that another
 * life of its id finds nothing, however late the data of the one before is removed.
 */

/** Some clients of Deno KV leave out such a character where a text in a key begins with it. */
const BYTE_ORDER_MARK = "\uFEFF";

/** A type as it stands in a key. No type has a NUL. */
function escaped(type: string): string {
  return type.startsWith(BYTE_ORDER_MARK) ? `\0${type}` : type;
}

/** The type that stands in a key. */
export function typeInKey(text: string): string {
  return text.startsWith("\0") ? text.slice(1) : text;
}

/** The keys of one Taskcast in a database. */
export class Keys {
  readonly #prefix: KvKey;

  constructor(prefix: KvKey) {
    this.#prefix = prefix;
  }

  /** Where a task stands: {@linkcode Head}. */
  head(taskId: string): KvKey {
    return [...this.#prefix, "head", taskId];
  }

  /** There while no task may have this id: {@linkcode ClosedId}. */
  closedId(taskId: string): KvKey {
    return [...this.#prefix, "closed", taskId];
  }

  /** The record of a task, as JSON. */
  record(taskId: string): KvKey {
    return [...this.#prefix, "record", taskId];
  }

  /** Something of a life. */
  of(life: string, ...parts: KvKeyPart[]): KvKey {
    return [...this.#prefix, "life", life, ...parts];
  }

  event(life: string, index: number): KvKey {
    return this.of(life, "event", index);
  }

  /** The events of a class by index; how many of the class come before each. */
  place(life: string, classNo: number, index: number): KvKey {
    return this.of(life, "place", classNo, index);
  }

  /** The same for events that were removed, as far as they are needed for counting. */
  gonePlace(life: string, classNo: number, index: number): KvKey {
    return this.of(life, "gone", classNo, index);
  }

  eventClass(life: string, type: string, level: Level, plain: boolean): KvKey {
    return this.of(life, "class", escaped(type), level, plain);
  }

  series(life: string, seriesId: string): KvKey {
    return this.of(life, "series", seriesId);
  }

  /** The fold of the series whose newest event has this index. */
  fold(life: string, newest: number): KvKey {
    return this.of(life, "fold", newest);
  }

  /**
   * The length of the log and the state of the task: behind all folds, so that a list reads it at
   * the same moment as the newest of them.
   */
  foldsEnd(life: string): KvKey {
    return this.of(life, "fold", true);
  }

  /** A part of a series' text; `era` grows whenever the text begins anew. */
  part(life: string, seriesId: string, era: number, no: number): KvKey {
    return this.of(life, "part", seriesId, era, no);
  }

  producer(life: string, producerId: string): KvKey {
    return this.of(life, "producer", producerId);
  }

  /** Sequence numbers from `seq` on that lie side by side in the log. */
  run(life: string, producerId: string, epoch: number, seq: number): KvKey {
    return this.of(life, "run", producerId, epoch, seq);
  }

  note(life: string, name: string): KvKey {
    return this.of(life, "note", name);
  }

  chunk(life: string, { blob, no }: { blob: string; no: number }, at: number): KvKey {
    return this.of(life, "blob", blob, no, at);
  }

  /** There as long as the life is, and never changed. */
  alive(life: string): KvKey {
    return this.of(life, "alive");
  }

  /** Tasks by age: all, or those with a state, a type or a tag. */
  byAge(list: readonly [string, ...string[]], task: { createdAt: number; id: string }): KvKey {
    return [...this.#prefix, "list", ...list, task.createdAt, task.id];
  }

  /** All tasks of such a list, or those that are older than one. */
  listed(
    list: readonly [string, ...string[]],
    before?: { createdAt: number; id: string },
  ): KvSelector {
    const prefix = [...this.#prefix, "list", ...list];
    return before === undefined ? { prefix } : { start: prefix, end: this.byAge(list, before) };
  }

  due(atMs: number, kind: DueKind, taskId: string): KvKey {
    return [...this.#prefix, "due", atMs, kind, taskId];
  }

  work(kind: Work, atMs: number, taskId: string): KvKey {
    return [...this.#prefix, "work", kind, atMs, taskId];
  }

  /** Key of data to remove from a time on: {@linkcode Garbage}. */
  garbage(atMs: number, id: string): KvKey {
    return [...this.#prefix, "garbage", atMs, id];
  }

  /** Written with each commit of a task, for those who watch it. */
  wake(taskId: string): KvKey {
    return [...this.#prefix, "wake", taskId];
  }

  /** All of a kind that belongs to no task: `due`, `work`, `garbage`. */
  all(...parts: string[]): KvKey {
    return [...this.#prefix, ...parts];
  }
}
