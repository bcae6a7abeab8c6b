import type { Kv, KvAtomic, KvCommitOutcome, KvEntry } from "@taskcast/deno-kv";

/** Numbers of operations on a database. */
export interface Counts {
  /** Calls of `get` and `getMany`. */
  gets: number;
  /** Lists that were begun, and entries read from them. */
  lists: number;
  listed: number;
  /** Atomic operations. */
  commits: number;
  /** Bytes written by them, as JSON. */
  written: number;
}

/** A database that counts its operations, and calls back before each atomic one. */
export class ObservedKv implements Kv {
  readonly #kv: Kv;
  counts: Counts = { gets: 0, lists: 0, listed: 0, commits: 0, written: 0 };
  /** Sends each operation twice, as if the network had lost the first answer. */
  sendsTwice = false;
  /** Runs before each commit. Its error replaces the commit. */
  beforeCommit: (count: number) => void | Promise<void> = () => {};

  constructor(kv: Kv) {
    this.#kv = kv;
  }

  /** Returns the number of operations that `run` causes. */
  async counted(run: () => Promise<unknown>): Promise<Counts> {
    this.counts = { gets: 0, lists: 0, listed: 0, commits: 0, written: 0 };
    await run();
    return this.counts;
  }

  get(...args: Parameters<Kv["get"]>): Promise<KvEntry> {
    this.counts.gets++;
    return this.#kv.get(...args);
  }

  getMany(...args: Parameters<Kv["getMany"]>): Promise<readonly KvEntry[]> {
    this.counts.gets++;
    return this.#kv.getMany(...args);
  }

  async *list(...args: Parameters<Kv["list"]>): AsyncGenerator<KvEntry, void> {
    this.counts.lists++;
    for await (const entry of this.#kv.list(...args)) {
      this.counts.listed++;
      yield entry;
    }
  }

  atomic(): KvAtomic {
    const atomic = this.#kv.atomic();
    let written = 0;
    const observed: KvAtomic = {
      check(check) {
        atomic.check(check);
        return observed;
      },
      set(key, value, options) {
        written += JSON.stringify(value).length;
        atomic.set(key, value, options);
        return observed;
      },
      delete(key) {
        atomic.delete(key);
        return observed;
      },
      commit: async (): Promise<KvCommitOutcome> => {
        this.counts.commits++;
        this.counts.written += written;
        await this.beforeCommit(this.counts.commits);
        if (this.sendsTwice) await atomic.commit();
        return await atomic.commit();
      },
    };
    return observed;
  }

  watch(...args: Parameters<Kv["watch"]>): ReadableStream<readonly KvEntry[]> {
    return this.#kv.watch(...args);
  }

  close(): void {
    this.#kv.close();
  }
}
