import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { restorableStore } from "../../testing/databases/restorable_store.ts";
import { until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Our clients with a store that was restored to an earlier state show what its log says.

const answer = { type: "delta", seriesId: "answer", seriesMode: "accumulate" } as const;
const extra = { ...answer, seriesId: "extra" };

function start() {
  const store = restorableStore();
  const server = startServer({ engine: { shortTermStore: store, options: { pollMs: 5 } } });
  return { store, server };
}

async function say({ engine }: TestServer, text: string): Promise<void> {
  for (const delta of text) await engine.publishEvent("t", { ...answer, data: { delta } });
}

Deno.test("a client's stream drops what was lost, live and after a reconnect", async () => {
  for (const isLive of [true, false]) {
    const { store, server } = start();
    await using _ = server;
    await server.engine.createTask({ id: "t" });
    await say(server, "abcde");
    const saved = store.changes;
    await say(server, "LOST");
    await server.engine.publishEvent("t", { ...extra, data: { delta: "gone" } });
    const client = new TaskcastClient({ baseUrl: server.url });
    const opens: string[] = [];
    const onOpen = ({ resume, reset }: { resume: string; reset?: true }) => {
      opens.push(`${resume}${reset ? " reset" : ""}`);
    };
    const first = new AbortController();
    let stream = client.stream("t", { signal: first.signal, onOpen });
    let plain: number[] = [];
    const read = async () => {
      for await (const event of stream) {
        if (event.seriesId === undefined) plain.push(event.rawIndex);
      }
    };
    let reading = read();
    await until(() => stream.text("extra") === "gone", "it has everything");
    if (!isLive) {
      first.abort();
      await reading;
    }
    await store.restore(saved);
    await say(server, "12345678");
    if (!isLive) {
      stream = client.stream("t", { since: { id: stream.cursor }, onOpen });
      plain = [];
      reading = read();
    }
    await until(() => stream.text("answer") === "abcde12345678", "it has what the log says");
    assert.equal(stream.text("extra"), "", "the lost series is empty");
    await server.engine.transitionTask("t", "completed");
    await reading;
    assert.deepEqual(opens, ["start", "expired reset"]);
    assert.deepEqual(plain, [13]);
  }
});
