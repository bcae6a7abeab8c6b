import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { CliServer } from "../../testing/servers/cli.ts";
import { startCli } from "../../testing/servers/cli.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { withFile } from "../../testing/temp_file.ts";
import { withReceiver } from "../../testing/servers/webhook_receiver.ts";

// Webhooks of real servers, one of which is killed during a delivery.

const redis = await redisUrl();
const postgres = await postgresUrl();

async function killDeliveringServer(env: Record<string, string>): Promise<void> {
  const config = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(config, "webhook: { allowPrivate: [127.0.0.1] }");
  const values: number[] = [];
  const hold = Promise.withResolvers<void>();
  let holds = false;
  await withReceiver(async ({ body }) => {
    values.push(JSON.parse(body).data);
    if (holds) await hold.promise;
    return 204;
  }, async (receiver) => {
    const start = () => startCli(["--host", "127.0.0.1", "-c", config], env);
    const servers: CliServer[] = [await start()];
    try {
      const taskcast = () => new TaskcastServerClient({ baseUrl: servers.at(-1)!.url });
      const { id } = await taskcast().createTask({
        webhooks: [{ url: receiver.url, filter: { types: ["n"] } }],
      });
      const publish = async (data: number) =>
        void await taskcast().publishEvent(id, { type: "n", data });
      for (let i = 0; i < 3; i++) await publish(i);
      await until(() => values.length === 3, "the first have come");
      for (let round = 0; round < 2; round++) {
        // Killed after sending and before recording, so this event is delivered again.
        holds = true;
        const next = 3 + 4 * round;
        for (let i = next; i < next + 4; i++) await publish(i);
        await until(() => values.at(-1) === next, "the delivery is in progress");
        servers.at(-1)!.process.kill("SIGKILL");
        await servers.at(-1)!.process.ended;
        holds = false;
        servers.push(await start());
        await until(() => values.at(-1) === next + 3, "the rest has come");
      }
      hold.resolve();
      await taskcast().transitionTask(id, "completed");
      const firsts = values.filter((value, i) => values.indexOf(value) === i);
      assert.deepEqual(
        firsts,
        Array.from({ length: 11 }, (_, i) => i),
        "nothing is lost, in order",
      );
      const again = values.filter((value, i) => values.indexOf(value) !== i);
      assert.deepEqual(again, [3, 7], "only deliveries in progress are repeated");
    } finally {
      hold.resolve();
      for (const server of servers) await server[Symbol.asyncDispose]();
      await Deno.remove(config);
    }
  });
}

Deno.test("webhooks: kill -9 of the delivering instance loses nothing, on SQLite", async () => {
  await withFile((path) => killDeliveringServer({ TASKCAST_SQLITE_PATH: path }));
});

if (redis !== undefined) {
  Deno.test("webhooks: kill -9 of the delivering instance loses nothing, on Redis", async () => {
    await killDeliveringServer({ TASKCAST_REDIS_URL: redis });
  });
}

if (postgres !== undefined) {
  Deno.test("webhooks: kill -9 of the delivering instance loses nothing, on PostgreSQL", async () => {
    await killDeliveringServer({ TASKCAST_POSTGRES_URL: postgres, TASKCAST_STORAGE: "postgres" });
  });
}
