import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import type { Adapters } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { leftOut } from "../../testing/left_out.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { withFile } from "../../testing/temp_file.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const answer = { type: "delta", seriesId: "answer", seriesMode: "accumulate" } as const;

async function say(engine: TaskEngine, text: string): Promise<void> {
  for (const delta of text) await engine.publishEvent("t", { ...answer, data: { delta } });
}

if (await redisProgram() === undefined) {
  leftOut(
    "a Redis that is restored from an older dump",
    "redis-server or valkey-server on the PATH",
  );
} else {
  Deno.test("redis: after a restart from an older dump, live readers have the current log", async () => {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-restored-" });
    try {
      const first = await startRedis({ folder });
      const { url, port } = first;
      await using server = startServer({
        engine: { ...partsOf(createRedisAdapters(url)), options: { pollMs: 50, storeRetryMs: 20 } },
      });
      const { engine } = server;
      await engine.createTask({ id: "t" });
      await say(engine, "abcde");
      assert(
        (await new Deno.Command("redis-cli", { args: ["-p", `${port}`, "save"] }).output()).success,
      );
      await say(engine, "LOST");
      const client = new TaskcastClient({ baseUrl: server.url });
      const opens: string[] = [];
      const stream = client.stream("t", {
        onOpen: ({ resume, reset }) => opens.push(`${resume}${reset ? " reset" : ""}`),
      });
      const reading = (async () => {
        for await (const _ of stream);
      })();
      await until(() => stream.text("answer") === "abcdeLOST", "it has what will be lost");
      await first.kill();
      await using _second = await startRedis({ folder, port });
      // Before any write is attempted: only this test would retry a refused publish.
      await until(
        () => engine.getTask("t").then((task) => task !== undefined, () => false),
        "the store is back",
      );
      await say(engine, "12345678");
      await until(() => stream.text("answer") === "abcde12345678", "it has what the log says");
      await engine.transitionTask("t", "completed");
      await reading;
      assert.deepEqual(opens, ["start", "expired reset"]);
      const late = client.stream("t");
      for await (const _ of late);
      assert.equal(late.text("answer"), stream.text("answer"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("sqlite: cursors show that an older copy of the file replaced it between two starts", async () => {
  await withFile(async (path) => {
    const start = () => {
      const adapters = createSqliteAdapters({ path });
      const engine = new TaskEngine(partsOf(adapters));
      return {
        engine,
        async [Symbol.asyncDispose]() {
          await engine.close();
          await adapters.shortTerm.close();
          await adapters.longTerm.close();
          await adapters.broadcast.close();
        },
      };
    };
    let cursor: string | undefined;
    {
      await using process = start();
      await process.engine.createTask({ id: "t" });
      await say(process.engine, "abcde");
    }
    await Deno.copyFile(path, `${path}.older`);
    {
      await using process = start();
      await say(process.engine, "LOST");
      ({ nextCursor: cursor } = await process.engine.getEvents("t", { limit: 8 }));
    }
    for (const end of ["", "-wal", "-shm"]) await Deno.remove(path + end).catch(() => {});
    await Deno.rename(`${path}.older`, path);
    await using process = start();
    const { engine } = process;
    await say(engine, "12345678");
    await engine.transitionTask("t", "completed");
    const received: unknown[] = [];
    for await (const message of engine.subscribe("t", { since: { id: cursor } })) {
      if (message.kind === "open") received.push(message.resume, message.reset);
      if (message.kind === "event" && message.event.seriesId) received.push(message.event.data);
    }
    assert.deepEqual(received, ["expired", true, { delta: "abcde12345678" }]);
  });
});

function partsOf({ shortTerm, broadcast }: Pick<Adapters, "shortTerm" | "broadcast">) {
  return { shortTermStore: shortTerm, broadcast };
}
