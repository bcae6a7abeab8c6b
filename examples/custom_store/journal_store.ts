// A third-party store that keeps tasks in memory, and restores them from a journal on disk.
// It passes the same conformance suite as the built-in stores; see journal_store_test.ts.
// Try it:  deno task start --storage ./examples/custom_store/journal_store.ts
import { open, readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { AdapterPlugin, Leases, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskcastError } from "@taskcast/core";
import { readAdapterOptions } from "@taskcast/core/adapter";

/** A call that changes a store; replaying it repeats the change. */
type Change =
  | ["commit", ...Parameters<ShortTermStore["commit"]>]
  | ["deleteTask", ...Parameters<ShortTermStore["deleteTask"]>]
  | ["claim", ...Parameters<ShortTermStore["claim"]>]
  | ["archived", ...Parameters<ShortTermStore["archived"]>]
  | ["schedule", ...Parameters<ShortTermStore["schedule"]>]
  | ["renewLeases", ...Parameters<Leases["renew"]>]
  | ["writeNote", ...Parameters<ShortTermStore["writeNote"]>]
  | ["trimLog", ...Parameters<ShortTermStore["trimLog"]>];

/** Store that keeps tasks in memory and writes each change to disk before it acknowledges it. */
export class JournalStore extends MemoryShortTermStore {
  override readonly durable = true;
  readonly #file: FileHandle;
  /** Changes are written one after another, in the order in which they were made. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  /** Opens a journal, or creates it, and replays its changes. */
  static async open(path: string): Promise<JournalStore> {
    const store = new JournalStore(await open(path, "a+"));
    for (const line of (await readFile(path, "utf8")).split("\n")) {
      if (line === "") continue;
      let change: Change;
      try {
        change = JSON.parse(line);
      } catch {
        continue; // The process died while writing this line, so the change was not acknowledged.
      }
      await store.#replay(change);
    }
    return store;
  }

  override commit(
    ...args: Parameters<ShortTermStore["commit"]>
  ): ReturnType<ShortTermStore["commit"]> {
    return this.#record(["commit", ...args], super.commit(...args));
  }

  override deleteTask(...args: Parameters<ShortTermStore["deleteTask"]>): Promise<boolean> {
    return this.#record(["deleteTask", ...args], super.deleteTask(...args));
  }

  override claim(
    ...args: Parameters<ShortTermStore["claim"]>
  ): ReturnType<ShortTermStore["claim"]> {
    return this.#record(["claim", ...args], super.claim(...args));
  }

  override archived(
    ...args: Parameters<ShortTermStore["archived"]>
  ): ReturnType<ShortTermStore["archived"]> {
    return this.#record(["archived", ...args], super.archived(...args));
  }

  override schedule(...args: Parameters<ShortTermStore["schedule"]>): Promise<boolean> {
    return this.#record(["schedule", ...args], super.schedule(...args));
  }

  override renewLeases(...args: Parameters<Leases["renew"]>): Promise<boolean[]> {
    return this.#record(["renewLeases", ...args], super.renewLeases(...args));
  }

  override writeNote(...args: Parameters<ShortTermStore["writeNote"]>): Promise<boolean> {
    return this.#record(["writeNote", ...args], super.writeNote(...args));
  }

  override trimLog(...args: Parameters<ShortTermStore["trimLog"]>): Promise<number> {
    return this.#record(["trimLog", ...args], super.trimLog(...args));
  }

  override async close(): Promise<void> {
    await this.#writing;
    await this.#file.close().catch(() => {}); // Fails on the second call.
  }

  // Readers in this process may see a change shortly before it is on disk. It is acknowledged to its
  // caller only afterwards.
  async #record<Result>(change: Change, result: Promise<Result>): Promise<Result> {
    const line = JSON.stringify(change) + "\n";
    this.#writing = this.#writing.then(async () => {
      await this.#file.appendFile(line);
      await this.#file.datasync();
    });
    try {
      await this.#writing;
    } catch (error) {
      throw new TaskcastError("STORE_UNAVAILABLE", "The journal cannot be written", {
        cause: error,
      });
    }
    return await result;
  }

  async #replay([method, ...args]: Change): Promise<void> {
    // deno-lint-ignore no-explicit-any
    await (MemoryShortTermStore.prototype[method] as any).apply(
      this,
      args.map((arg) => arg ?? undefined), // JSON has no `undefined`.
    );
  }
}

/** The plugin. A configuration or `--storage` refers to it by the path of this file. */
const plugin: AdapterPlugin = {
  name: "journal",
  roles: ["broadcast", "shortTerm"],
  async open({ options }) {
    const { path = "taskcast.journal" } = readAdapterOptions("journal", options, {
      path: "string",
    });
    return { broadcast: new MemoryBroadcastProvider(), shortTerm: await JournalStore.open(path) };
  },
};

export default plugin;
