import assert from "node:assert/strict";
import type { FoldPage, FoldQuery, ShortTermStore } from "@taskcast/core/adapter";
import { FOLD_CHECKS } from "../../../core/conformance/store_folds.ts";
import { seededRandom } from "../../../core/conformance/seeded_random.ts";
import { append, create, delta, draft } from "../../../core/conformance/store_fixtures.ts";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import { parsePostgresAddress } from "../connection/address.ts";
import { connect } from "../connection/connect.ts";
import { Database } from "../connection/database.ts";
import { FoldReader } from "../rows/folds.ts";
import { createPostgresAdapters } from "../mod.ts";
import { Pool } from "../connection/pool.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

/** Runs a test with a store and the readers of two instances whose caches are small. */
async function withReaders(
  work: (store: ShortTermStore, readers: [FoldReader, FoldReader]) => Promise<void>,
): Promise<void> {
  const schema = await newSchema(url);
  const { broadcast, shortTerm } = await createPostgresAdapters({ url: schema, maxConnections: 2 });
  const address = parsePostgresAddress(schema);
  const pool = new Pool(() => connect(address, { max: 2 }), true);
  const bounds = { timeoutMs: 10_000, maxPending: 99, maxConnections: 2 };
  const database = new Database(pool, { prefix: "taskcast_live_", ...bounds });
  const options = { keysPerScan: 4, maxKeys: 10 };
  await work(shortTerm, [new FoldReader(database, options), new FoldReader(database, options)]);
  await pool.close();
  await shortTerm.close();
  await broadcast.close();
}

test("postgres: folds are read as the contract says, with few keys at a time", async (t) => {
  for (const { title, run } of FOLD_CHECKS) {
    await t.step(title, () =>
      withReaders(async (store, [reader]) => {
        const readFolds = (id: string, query: FoldQuery) => reader.read(id, query);
        const target = new Proxy(store, {
          get(target, name) {
            if (name === "readFolds") return readFolds;
            const method = Reflect.get(target, name, target);
            return typeof method === "function" ? method.bind(target) : method;
          },
        });
        await run(target);
      }));
  }
});

test("postgres: pages by remembered keys are those of that moment, despite later writes", async () => {
  await withReaders(async (store, readers) => {
    const random = seededRandom(23);
    const pick = (count: number) => Math.floor(random() * count);
    await create(store, "t");
    const newest = new Map<string, number>();
    let length = 0;
    async function write(...seriesIds: (string | undefined)[]): Promise<void> {
      const events = seriesIds.map((seriesId) =>
        seriesId === undefined ? draft() : delta("x", { seriesId })
      );
      await append(store, "t", ...events);
      for (const seriesId of seriesIds) {
        if (seriesId !== undefined) newest.set(seriesId, length);
        length++;
      }
    }
    /** Returns the page of a store that scans all series each time. */
    function expected({ after, through = Infinity, limit }: FoldQuery) {
      const all = [...newest].filter(([, index]) => index > after && index <= through)
        .toSorted(([, a], [, b]) => a - b);
      const folds = all.slice(0, limit);
      const end = Math.max(after, Math.min(through, length - 1));
      const scannedTo = all.length > limit ? folds.at(-1)![1] : end;
      return { folds, scannedTo, length };
    }
    const seen = ({ folds, scannedTo, length }: FoldPage) => ({
      folds: folds.map((fold) => [fold.seriesId, fold.newest.index]),
      scannedTo,
      length,
    });
    await write(undefined, ...Array.from({ length: 30 }, (_, i) => `s${i}`));
    const positions = [-1, -1, -1, -1];
    for (let step = 0; step < 600; step++) {
      const at = pick(positions.length);
      const query: FoldQuery = { after: positions[at]!, limit: 1 + pick(3) };
      if (random() < 0.3) query.through = pick(length + 5);
      const page = (await readers[at % 2]!.read("t", query))!;
      assert.deepEqual(seen(page), expected(query), `step ${step}: ${JSON.stringify(query)}`);
      positions[at] = page.scannedTo >= page.length - 1 || random() < 0.02 ? -1 : page.scannedTo;
      const chance = random();
      if (chance < 0.2) await write(`s${pick(40)}`, undefined);
      else if (chance < 0.25) {
        // All series of the next page continue.
        await write(
          ...expected({ after: positions[at]!, limit: 6 }).folds.map(([id]) => id),
          undefined,
        );
      }
    }
  });
});

test("postgres: keys of another incarnation or of a lost log are not used", async () => {
  await withReaders(async (store, [reader]) => {
    const ids = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const after = async (index: number) =>
      (await reader.read("t", { after: index, limit: 2 }))!.folds.map(({ seriesId }) => seriesId);
    await create(store, "t");
    await append(store, "t", draft(), ...ids.map((seriesId) => delta("x", { seriesId })));
    assert.deepEqual(await after(0), ["s0", "s1"]);
    assert.deepEqual(await after(2), ["s2", "s3"]);
    await store.deleteTask("t");
    // As in a restored store: the same incarnation, another log.
    await create(store, "t");
    const others = ids.with(1, "other").map((seriesId) => delta("y", { seriesId }));
    await append(store, "t", draft(), ...others);
    assert.deepEqual(await after(0), ["s0", "other"]);
    assert.deepEqual(await after(2), ["s2", "s3"]);
  });
});
