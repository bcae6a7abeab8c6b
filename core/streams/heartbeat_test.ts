import assert from "node:assert/strict";
import { DEFAULT_ENGINE_OPTIONS } from "../context/context.ts";

/** The shortest idle timeout is that of `Bun.serve`: ten seconds, which its clock may shorten to eight. */
const SHORTEST_IDLE_MS = 8_000;

Deno.test("heartbeats come well before the shortest idle timeout of a host", () => {
  assert(DEFAULT_ENGINE_OPTIONS.heartbeatMs <= SHORTEST_IDLE_MS - 3_000);
});
