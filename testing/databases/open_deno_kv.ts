import type { ShortTermStore } from "@taskcast/core/adapter";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { ObservedKv } from "./observed_kv.ts";

/** Opens a store in memory. */
export async function openStore(): Promise<ShortTermStore> {
  return (await openObserved()).store;
}

/** Opens a store whose database is observed. */
export async function openObserved(): Promise<{ store: ShortTermStore; kv: ObservedKv }> {
  const kv = new ObservedKv(await Deno.openKv(":memory:"));
  const { broadcast, shortTerm } = createDenoKvAdapters(kv, { closesKv: true });
  await broadcast.close();
  return { store: shortTerm, kv };
}

/** Opens a store on two connections to one file, which take turns. */
export async function openTwo(): Promise<ShortTermStore> {
  const path = await Deno.makeTempFile();
  const kvs = [await Deno.openKv(path), await Deno.openKv(path)];
  const stores = kvs.map((kv) => createDenoKvAdapters(kv).shortTerm);
  let calls = 0;
  return new Proxy(stores[0]!, {
    get(_, name) {
      if (name === "close") {
        return async () => {
          await Promise.all(stores.map((store) => store.close()));
          for (const kv of kvs) kv.close();
          await Promise.all(
            ["", "-wal", "-shm"].map((end) => Deno.remove(path + end).catch(() => {})),
          );
        };
      }
      const store = stores[calls++ % 2]!;
      const method = Reflect.get(store, name, store);
      return typeof method === "function" ? method.bind(store) : method;
    },
  });
}
