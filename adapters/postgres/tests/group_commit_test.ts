import assert from "node:assert/strict";
import type { Commit, EventDraft, ShortTermStore } from "@taskcast/core/adapter";
import { TaskcastError, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { PostgresAdapterOptions, PostgresAdapters } from "../mod.ts";
import { createPostgresAdapters } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

async function withStore(
  options: Omit<PostgresAdapterOptions, "url">,
  run: (
    adapters: PostgresAdapters & { engine: TaskEngine },
    server: Awaited<ReturnType<typeof startPostgres>>,
  ) => Promise<void>,
): Promise<void> {
  await using server = await startPostgres();
  const adapters = await createPostgresAdapters({ url: server.url, ...options });
  const engine = new TaskEngine({
    broadcast: adapters.broadcast,
    shortTermStore: adapters.shortTerm,
    hooks: { onUnhandledError() {} },
  });
  await run({ ...adapters, engine }, server);
  await engine.close();
  await adapters.shortTerm.close();
  await adapters.broadcast.close();
}

/** Returns a commit; `draft` makes it one that the engine would never make. */
function commit(taskId: string, draft: object = {}): Commit {
  const event = { type: "n", level: "info", data: "1", entropy: 1, ...draft } as EventDraft;
  const bounds = { maxEvents: 1_000_000, maxBytes: 1e12 };
  return { taskId, expect: "live", events: [event], nowMs: Date.now(), ...bounds };
}

async function codes(store: ShortTermStore, commits: Commit[]): Promise<string[]> {
  return await Promise.all(
    commits.map((one) =>
      store.commit(one).then((result) => result.ok ? "ok" : result.refusal.code, (error) => {
        assert(error instanceof TaskcastError, String(error));
        return error.code;
      })
    ),
  );
}

test("postgres: a commit that cannot be stored fails alone, and is not to be repeated", async () => {
  await withStore({}, async ({ engine, shortTerm }) => {
    await Promise.all(["a", "b", "c"].map((id) => engine.createTask({ id })));
    const noNumbers = [{ entropy: 0.5 }, { entropy: Symbol() }];
    const notOneValue = ["1,2", "", " ", "]", "1],[2", "{"].map((data) => ({ data }));
    for (const poison of [{ type: "a\0b" }, ...noNumbers, ...notOneValue]) {
      const commits = [commit("a"), commit("b", poison), commit("c"), commit("b"), commit("a")];
      assert.deepEqual(await codes(shortTerm, commits), ["ok", "INTERNAL", "ok", "ok", "ok"]);
    }
    const lengths = await Promise.all(
      ["a", "b", "c"].map(async (id) => (await shortTerm.getTask(id))!.length),
    );
    assert.deepEqual(lengths.map((length) => length - lengths[2]!), [9, 0, 0]);
  });
});

test("postgres: a group whose commits have all timed out is not started", async () => {
  await withStore({ timeoutMs: 1_000 }, async ({ engine, shortTerm }, server) => {
    await engine.createTask({ id: "t" });
    const before = (await shortTerm.getTask("t"))!.length;
    await server.signal("SIGSTOP");
    const first = codes(shortTerm, [commit("t")]);
    // These wait for the first, so their group starts later than they do.
    const beganMs = performance.now();
    await until(() => performance.now() - beganMs > 500, "the first has waited for a while");
    const others = codes(shortTerm, Array.from({ length: 20 }, () => commit("t")));
    assert.deepEqual(await first, ["STORE_UNAVAILABLE"]);
    assert.deepEqual(new Set(await others), new Set(["STORE_UNAVAILABLE"]));
    await server.signal("SIGCONT");
    await until(async () => (await codes(shortTerm, [commit("t")]))[0] === "ok", "it goes on");
    assert.equal((await shortTerm.getTask("t"))!.length - before, 1);
  });
});

test("postgres: while it is frozen, no more than maxPending wait, none longer than timeoutMs", async () => {
  await withStore({ timeoutMs: 500, maxPending: 50 }, async ({ engine, shortTerm }, server) => {
    await engine.createTask({ id: "t" });
    const before = (await shortTerm.getTask("t"))!.length;
    await server.signal("SIGSTOP");
    const beganMs = performance.now();
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 400 }, async () => {
        const sentMs = performance.now();
        assert.deepEqual(await codes(shortTerm, [commit("t")]), ["STORE_UNAVAILABLE"]);
        waits.push(performance.now() - sentMs);
      }));
    }
    const refusedAtOnce = waits.filter((ms) => ms < 250).length;
    assert(refusedAtOnce >= 3 * 350, `${refusedAtOnce} were refused at once`);
    assert(Math.max(...waits) < 1_500, `the longest wait was ${Math.max(...waits)} ms`);
    assert(performance.now() - beganMs < 4_000);
    await server.signal("SIGCONT");
    await until(async () => (await codes(shortTerm, [commit("t")]))[0] === "ok", "it goes on");
    const { length } = (await shortTerm.getTask("t"))!;
    // Work that had not begun when its time was over must not begin later on new connections.
    assert(length - before < 50, `${length - before} were carried out`);
  });
});
