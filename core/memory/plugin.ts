import type { AdapterPlugin } from "../contracts/plugin.ts";
import { readAdapterOptions } from "../contracts/plugin.ts";
import { MemoryBroadcastProvider } from "./broadcast.ts";
import { MemoryShortTermStore } from "./short_term_store.ts";

/** The adapter `memory`. Its tasks are lost when the process ends. */
export const memoryPlugin: AdapterPlugin = {
  name: "memory",
  roles: ["broadcast", "shortTerm"],
  open({ options }) {
    const { maxBytes } = readAdapterOptions("memory", options, { maxBytes: "number" });
    return {
      broadcast: new MemoryBroadcastProvider(),
      shortTerm: new MemoryShortTermStore({ maxBytes }),
    };
  },
};
