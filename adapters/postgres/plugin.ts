import type { AdapterPlugin } from "@taskcast/core/adapter";
import { readAdapterOptions } from "@taskcast/core/adapter";
import { createPostgresAdapter, createPostgresAdapters } from "./adapters.ts";

/** `postgres`: the options of {@linkcode createPostgresAdapters}. */
const plugin: AdapterPlugin = {
  name: "postgres",
  roles: ["broadcast", "shortTerm", "longTerm"],
  async open({ roles, options }) {
    const { url, listenUrl, ...rest } = readAdapterOptions("postgres", options, {
      url: "string",
      autoMigrate: "boolean",
      maxConnections: "number",
      timeoutMs: "number",
      maxPending: "number",
      preparedStatements: "boolean",
      listenUrl: "string",
    });
    if (url === undefined) throw new TypeError('postgres needs the option "url"');
    const longTerm = roles.includes("longTerm")
      ? await createPostgresAdapter({ url, ...rest })
      : undefined;
    if (!roles.includes("broadcast") && !roles.includes("shortTerm")) return { longTerm };
    const { broadcast, shortTerm } = await createPostgresAdapters({ url, listenUrl, ...rest });
    if (!roles.includes("broadcast")) await broadcast.close();
    if (!roles.includes("shortTerm")) await shortTerm.close();
    return { broadcast, shortTerm, longTerm };
  },
};

export default plugin;
