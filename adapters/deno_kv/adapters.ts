import type { BroadcastProvider, ShortTermStore } from "@taskcast/core/adapter";
import { DenoKvBroadcast } from "./broadcast.ts";
import { Janitor } from "./janitor.ts";
import { Keys } from "./keys.ts";
import type { Kv, KvKey } from "./connection/kv.ts";
import { DenoKvShortTermStore } from "./short_term_store.ts";
import { TimelyKv } from "./connection/timely_kv.ts";

/** Options for {@linkcode createDenoKvAdapters}. */
export interface DenoKvAdapterOptions {
  /** Prefix of every key; the same in all instances that share tasks. @default {["taskcast"]} */
  prefix?: KvKey;
  /** Maximum number of changes waiting for the database; more are refused. @default {10000} */
  maxPending?: number;
  /** Milliseconds that a reply of the database may take. @default {10000} */
  timeoutMs?: number;
  /**
   * Milliseconds between checks of the tasks that have listeners, for a file that several processes
   * use: a local Deno KV does not announce writes of other processes. A check is one read per ten
   * tasks. @default no checks; readers then poll, see `pollMs` of the engine
   */
  lookMs?: number;
  /** Declares that stored data survives a restart of this process. @default {true} */
  durable?: boolean;
  /** Closes the database once both adapters are closed. @default {false} */
  closesKv?: boolean;
}

/** Adapters of an engine on Deno KV. */
export interface DenoKvAdapters {
  /** Wake-ups in this process at once, in others as soon as the database announces a change. */
  broadcast: BroadcastProvider;
  /** Tasks and logs in the database. */
  shortTerm: ShortTermStore;
}

/**
 * Creates a store and a broadcast layer on a Deno KV database.
 *
 * @param kv The result of `Deno.openKv()`, or an object of its shape, such as that of `openKv()` of
 *   the npm package `@deno/kv`.
 * @throws {RangeError} For a `maxPending` that is not a positive integer, or a `lookMs` or
 *   `timeoutMs` below 1.
 *
 * @example
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createDenoKvAdapters } from "@taskcast/deno-kv";
 * import assert from "node:assert/strict";
 *
 * const kv = await Deno.openKv(":memory:");
 * const { broadcast, shortTerm } = createDenoKvAdapters(kv, { closesKv: true });
 * const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
 * const task = await engine.createTask({ type: "import" });
 * assert.equal((await engine.getTask(task.id))?.status, "pending");
 * await engine.close();
 * await Promise.all([broadcast.close(), shortTerm.close()]);
 * ```
 */
export function createDenoKvAdapters(kv: Kv, options: DenoKvAdapterOptions = {}): DenoKvAdapters {
  const {
    prefix = ["taskcast"],
    maxPending = 10_000,
    closesKv = false,
    durable = true,
    lookMs,
    timeoutMs = 10_000,
  } = options;
  if (!Number.isInteger(maxPending) || maxPending < 1) {
    throw new RangeError("maxPending must be a whole number above 0");
  }
  if (lookMs !== undefined && !(lookMs >= 1)) throw new RangeError("lookMs must be 1 or more");
  if (!(timeoutMs >= 1)) throw new RangeError("timeoutMs must be 1 or more");
  const database = { kv: new TimelyKv(kv, timeoutMs), keys: new Keys([...prefix]) };
  const open = new Set(["broadcast", "shortTerm"]);
  const closed = (part: string) => () => {
    if (open.delete(part) && open.size === 0 && closesKv) kv.close();
  };
  const broadcast = new DenoKvBroadcast(database, { lookMs, onClose: closed("broadcast") });
  const shortTerm = new DenoKvShortTermStore({
    database,
    durable,
    maxPending,
    janitor: new Janitor(database),
    wakes: broadcast,
    tell: (signal) => broadcast.notifyLocal(signal),
    onClose: closed("shortTerm"),
  });
  return { broadcast, shortTerm };
}
