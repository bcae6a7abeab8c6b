import assert from "node:assert/strict";
import {
  DEFAULT_ENGINE_OPTIONS,
  MemoryBroadcastProvider,
  MemoryShortTermStore,
  TaskEngine,
} from "@taskcast/core";
import { configSchema } from "./schema.ts";

const VALUES = [
  ...[-1, 0, 1, 1.5, 9, 10, 100, 101, 2 ** 31 - 1, 2 ** 31, 8.64e15, 8.64e15 + 2],
  ...[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, Infinity, NaN],
];

Deno.test("a configuration takes what an engine takes, and refuses what it refuses", async () => {
  for (const name of Object.keys(DEFAULT_ENGINE_OPTIONS)) {
    for (const value of VALUES) {
      const isRead = configSchema.safeParse({ engine: { [name]: value } }).success;
      assert.equal(isRead, await isTaken({ [name]: value }), `${name}: ${value}`);
    }
  }
});

async function isTaken(options: Record<string, number>): Promise<boolean> {
  let engine: TaskEngine;
  try {
    engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      options,
    });
  } catch {
    return false;
  }
  await engine.close();
  return true;
}
