import type { AdapterPlugin } from "@taskcast/core/adapter";
import { readAdapterOptions } from "@taskcast/core/adapter";
import { createDenoKvAdapters } from "./adapters.ts";
import type { Kv } from "./connection/kv.ts";

/** `deno-kv`: `path`, `maxPending`, `timeoutMs`. */
const plugin: AdapterPlugin = {
  name: "deno-kv",
  roles: ["broadcast", "shortTerm"],
  async open({ roles, options }) {
    const { path, maxPending, timeoutMs } = readAdapterOptions("deno-kv", options, {
      path: "string",
      maxPending: "number",
      timeoutMs: "number",
    });
    const kv = await openKv(path);
    const lookMs = isSharedFile(path) ? LOOK_MS : undefined;
    const { broadcast, shortTerm } = createDenoKvAdapters(kv, {
      maxPending,
      timeoutMs,
      lookMs,
      durable: path !== ":memory:",
      closesKv: true,
    });
    if (!roles.includes("broadcast")) await broadcast.close();
    if (!roles.includes("shortTerm")) await shortTerm.close();
    return { broadcast, shortTerm };
  },
};

export default plugin;

/** Milliseconds between checks for other processes' writes to the file. */
const LOOK_MS = 100;

/** Returns true if other processes may write to the file without a notification. */
function isSharedFile(path: string | undefined): boolean {
  return path !== undefined && path !== ":memory:" && !/^https?:/.test(path);
}

async function openKv(path: string | undefined): Promise<Kv> {
  const { Deno } = globalThis as { Deno?: { openKv?: (path?: string) => Promise<Kv> } };
  if (Deno === undefined) {
    throw new Error(
      "This runtime has no Deno KV: use another store, or createDenoKvAdapters() with a database of " +
        "the npm package @deno/kv",
    );
  }
  if (Deno.openKv === undefined) {
    throw new Error(
      'Deno.openKv() is not enabled: run with --unstable-kv, or have "unstable": ["kv"] in deno.json',
    );
  }
  try {
    return await Deno.openKv(path);
  } catch (error) {
    const where = path === undefined ? "the Deno KV database" : `the Deno KV file "${path}"`;
    throw new Error(`Cannot open ${where}: ${(error as Error).message}`, { cause: error });
  }
}
