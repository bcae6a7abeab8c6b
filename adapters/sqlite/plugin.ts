import type { AdapterPlugin } from "@taskcast/core/adapter";
import { readAdapterOptions } from "@taskcast/core/adapter";
import { createSqliteAdapters } from "./adapters.ts";

/** `sqlite`: `path`, `synchronous`. */
const plugin: AdapterPlugin = {
  name: "sqlite",
  roles: ["broadcast", "shortTerm", "longTerm"],
  open({ options }) {
    const { path, synchronous } = readAdapterOptions("sqlite", options, {
      path: "string",
      synchronous: "string",
    });
    if (path === undefined) throw new TypeError('sqlite needs the option "path"');
    if (synchronous !== undefined && synchronous !== "full" && synchronous !== "normal") {
      throw new TypeError('the option "synchronous" of sqlite must be "full" or "normal"');
    }
    try {
      return createSqliteAdapters({ path, synchronous });
    } catch (error) {
      throw new Error(`Cannot open the SQLite file "${path}": ${(error as Error).message}`, {
        cause: error,
      });
    }
  },
};

export default plugin;
