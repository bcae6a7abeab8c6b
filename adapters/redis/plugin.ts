import type { AdapterPlugin } from "@taskcast/core/adapter";
import { readAdapterOptions } from "@taskcast/core/adapter";
import { createRedisAdapters } from "./adapters.ts";

/** `redis`: `url`, and the options of {@linkcode createRedisAdapters}. */
const plugin: AdapterPlugin = {
  name: "redis",
  roles: ["broadcast", "shortTerm"],
  async open({ roles, options }) {
    const { url, ...rest } = readAdapterOptions("redis", options, {
      url: "string",
      prefix: "string",
      partitions: "number",
      timeoutMs: "number",
      maxPending: "number",
      shardedPubSub: "boolean",
    });
    if (url === undefined) throw new TypeError('redis needs the option "url"');
    const { broadcast, shortTerm } = createRedisAdapters(url, rest);
    if (!roles.includes("broadcast")) await broadcast.close();
    if (!roles.includes("shortTerm")) await shortTerm.close();
    return { broadcast, shortTerm };
  },
};

export default plugin;
