import { inTime } from "@taskcast/core/adapter";
import { unavailable } from "../errors.ts";
import type { Kv, KvAtomic, KvCommitOutcome, KvEntry } from "./kv.ts";

/**
 * A database whose requests have a time limit. An abandoned change may still be applied; the
 * versions that later operations check reveal it.
 */
export class TimelyKv implements Kv {
  readonly #kv: Kv;
  readonly #timeoutMs: number;

  /** @param timeoutMs Milliseconds that a reply may take. */
  constructor(kv: Kv, timeoutMs: number) {
    this.#kv = kv;
    this.#timeoutMs = timeoutMs;
  }

  get(...args: Parameters<Kv["get"]>): Promise<KvEntry> {
    return this.#inTime(this.#kv.get(...args));
  }

  getMany(...args: Parameters<Kv["getMany"]>): Promise<readonly KvEntry[]> {
    return this.#inTime(this.#kv.getMany(...args));
  }

  async *list(...args: Parameters<Kv["list"]>): AsyncGenerator<KvEntry, void> {
    const entries = this.#kv.list(...args)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#inTime(entries.next());
        if (done) return;
        yield value;
      }
    } finally {
      await entries.return?.();
    }
  }

  atomic(): KvAtomic {
    const atomic = this.#kv.atomic();
    const timely: KvAtomic = {
      check(check) {
        atomic.check(check);
        return timely;
      },
      set(key, value, options) {
        atomic.set(key, value, options);
        return timely;
      },
      delete(key) {
        atomic.delete(key);
        return timely;
      },
      commit: (): Promise<KvCommitOutcome> => this.#inTime(atomic.commit()),
    };
    return timely;
  }

  watch(...args: Parameters<Kv["watch"]>): ReadableStream<readonly KvEntry[]> {
    return this.#kv.watch(...args);
  }

  close(): void {
    this.#kv.close();
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    const late = () => unavailable(`no answer within ${this.#timeoutMs} ms`);
    return inTime(answer, this.#timeoutMs, late);
  }
}
