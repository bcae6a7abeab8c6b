import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import type { HealthReport } from "../contracts/health.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryLongTermStore } from "../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { DependencyState } from "./check.ts";
import { TaskEngine } from "./engine.ts";

/** An engine whose archive answers checks as the test demands. */
function setUp() {
  const clock = fakeClock();
  const world = { answer: (): Promise<HealthReport | void> => Promise.resolve(), checks: 0 };
  const longTermStore = new MemoryLongTermStore();
  longTermStore.check = (): Promise<void> => {
    world.checks++;
    return world.answer() as Promise<void>;
  };
  const errors: unknown[] = [];
  const engine = new TaskEngine({
    clock,
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    longTermStore,
    options: { sweepMs: 0 },
    hooks: { onUnhandledError: (error) => void errors.push(error) },
  });
  /** Returns the states that are known within half a second. */
  const ask = async () => {
    let state: DependencyState | undefined = undefined as DependencyState | undefined;
    const asked = engine.check().then(({ longTermStore }) => state = longTermStore);
    await clock.pass(499);
    assert(state !== undefined, "no answer within half a second");
    await asked;
    const { lagMs: _lagMs, ...rest } = state;
    return rest;
  };
  return { clock, world, engine, ask, errors };
}

const NEVER = () => new Promise<never>(() => {});

Deno.test("check() answers within half a second, also when a dependency never does", async () => {
  const { clock, world, engine, ask, errors } = setUp();
  await using _engine = engine;
  world.answer = NEVER;
  const away = { ok: false, required: false };
  assert.deepEqual(await ask(), { ...away, error: "does not answer" });
  await clock.pass(5_000);
  assert.equal(errors.length, 1);
  assert.deepEqual(await ask(), { ...away, error: "cannot be reached" });
});

Deno.test("check() says what was known while a dependency takes long, and not for long", async () => {
  const { clock, world, engine, ask } = setUp();
  await using _engine = engine;
  assert.deepEqual(await ask(), { ok: true, required: false });
  world.answer = NEVER;
  assert.deepEqual(await ask(), { ok: true, required: false });
  await clock.pass(5_000);
  assert.equal((await ask()).ok, false);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.answer = () => promise;
  await clock.pass(5_000);
  assert.equal((await ask()).ok, false);
  resolve();
  assert.equal((await ask()).ok, true);
  world.answer = NEVER;
  await clock.pass(15_000);
  assert.deepEqual(await ask(), { ok: false, error: "does not answer", required: false });
});

Deno.test("check() asks once at a time, however many want to know", async () => {
  const { world, engine, ask } = setUp();
  await using _engine = engine;
  world.answer = NEVER;
  await Promise.all([ask(), ask(), ask()]);
  assert.equal(world.checks, 1);
});

Deno.test("check() passes on what a dependency reports about itself", async () => {
  const { world, engine, ask, errors } = setUp();
  await using _engine = engine;
  const message = "one of three shards is away";
  world.answer = () => Promise.resolve({ status: "degraded", message });
  assert.deepEqual(await ask(), { ok: true, degraded: message, required: false });
  world.answer = () => Promise.resolve({ status: "unavailable", message });
  assert.deepEqual(await ask(), { ok: false, error: message, required: false });
  assert.deepEqual(errors, []);
});
