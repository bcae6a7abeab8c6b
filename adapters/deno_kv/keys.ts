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

/** Some clients of Deno KV drop this character at the start of a text in a key. */
const BYTE_ORDER_MARK = "\uFEFF";

/** Returns a type as it stands in a key. No type has a NUL. */
function escaped(type: string): string {
  return type.startsWith(BYTE_ORDER_MARK) ? `\0${type}` : type;
}

/** Returns the type of a text in a key. */
export function typeInKey(text: string): string {
  return text.startsWith("\0") ? text.slice(1) : text;
}

/** The keys of one Taskcast in a database. */
export class Keys {
  readonly #prefix: KvKey;

  constructor(prefix: KvKey) {
    this.#prefix = prefix;
  }

  /** The state of a task: {@linkcode Head}. */
  head(taskId: string): KvKey {
    return [...this.#prefix, "head", taskId];
  }

  /** Exists while no task may take this id: {@linkcode ClosedId}. */
  closedId(taskId: string): KvKey {
    return [...this.#prefix, "closed", taskId];
  }

  /** The record of a task, as JSON. */
  record(taskId: string): KvKey {
    return [...this.#prefix, "record", taskId];
  }

  /** A key of one incarnation. */
  of(storageId: string, ...parts: KvKeyPart[]): KvKey {
    return [...this.#prefix, "life", storageId, ...parts];
  }

  event(storageId: string, index: number): KvKey {
    return this.of(storageId, "event", index);
  }

  /** The rank of an event in its class, by index: the number of earlier events of the class. */
  rank(storageId: string, classNo: number, index: number): KvKey {
    return this.of(storageId, "place", classNo, index);
  }

  /** The rank of a removed event, if counting needs it. */
  trimmedRank(storageId: string, classNo: number, index: number): KvKey {
    return this.of(storageId, "gone", classNo, index);
  }

  eventClass(storageId: string, type: string, level: Level, plain: boolean): KvKey {
    return this.of(storageId, "class", escaped(type), level, plain);
  }

  series(storageId: string, seriesId: string): KvKey {
    return this.of(storageId, "series", seriesId);
  }

  /** The fold of the series whose newest event has this index. */
  fold(storageId: string, newest: number): KvKey {
    return this.of(storageId, "fold", newest);
  }

  /**
   * The length of the log and the status of the task. Sorted after all folds, so that one list
   * reads it at the same moment as the newest of them.
   */
  foldsEnd(storageId: string): KvKey {
    return this.of(storageId, "fold", true);
  }

  /** A part of a series' text; `era` increases whenever the text starts again. */
  part(storageId: string, seriesId: string, era: number, no: number): KvKey {
    return this.of(storageId, "part", seriesId, era, no);
  }

  producer(storageId: string, producerId: string): KvKey {
    return this.of(storageId, "producer", producerId);
  }

  /** Consecutive sequence numbers from `seq` on that are adjacent in the log. */
  run(storageId: string, producerId: string, epoch: number, seq: number): KvKey {
    return this.of(storageId, "run", producerId, epoch, seq);
  }

  note(storageId: string, name: string): KvKey {
    return this.of(storageId, "note", name);
  }

  chunk(storageId: string, { blob, no }: { blob: string; no: number }, at: number): KvKey {
    return this.of(storageId, "blob", blob, no, at);
  }

  /** Exists as long as the incarnation does; never changes. */
  alive(storageId: string): KvKey {
    return this.of(storageId, "alive");
  }

  /**
   * The entry of a task in a list by age: of all tasks, or of those with a status, a type or a tag.
   */
  byAge(list: readonly [string, ...string[]], task: { createdAt: number; id: string }): KvKey {
    return [...this.#prefix, "list", ...list, task.createdAt, task.id];
  }

  /** The range of such a list, or of its tasks older than a given one. */
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

  /** Written with each commit of a task, for watches. */
  wake(taskId: string): KvKey {
    return [...this.#prefix, "wake", taskId];
  }

  /** The prefix of a kind that belongs to no task: `due`, `work`, `garbage`. */
  all(...parts: string[]): KvKey {
    return [...this.#prefix, ...parts];
  }
}
