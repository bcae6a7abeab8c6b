import assert from "node:assert/strict";
import type { StreamMessage } from "@taskcast/core";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import type { Since } from "@taskcast/core/protocol";
import { decodeCursor, encodeCursor } from "@taskcast/core/protocol";
import { until } from "../../testing/sse/sse.ts";
import type { RestorableStore } from "../../testing/databases/restorable_store.ts";
import { restorableStore } from "../../testing/databases/restorable_store.ts";

// Messages to readers of a store that was restored to an earlier state and continued.

const answer = { type: "delta", seriesId: "answer", seriesMode: "accumulate" } as const;

interface Setup extends AsyncDisposable {
  engine: TaskEngine;
  store: RestorableStore;
  /** The store's state when the answer was `abcde`. */
  saved: number;
}

async function say(engine: TaskEngine, text: string): Promise<void> {
  for (const delta of text) await engine.publishEvent("t", { ...answer, data: { delta } });
}

/** Creates a task whose answer is `abcde` in the saved state, and `abcdeLOST` now. */
async function start(): Promise<Setup> {
  const store = restorableStore();
  const engine = new TaskEngine({
    shortTermStore: store,
    broadcast: new MemoryBroadcastProvider(),
    options: { pollMs: 5 },
  });
  await engine.createTask({ id: "t" });
  await say(engine, "abcde");
  const saved = store.changes;
  await say(engine, "LOST");
  // An engine's timers do not keep a process alive; polling makes up for a lost wake-up.
  const held = setInterval(() => {}, 1_000);
  return {
    engine,
    store,
    saved,
    async [Symbol.asyncDispose]() {
      clearInterval(held);
      await engine.close();
    },
  };
}

/** A client that follows the stream according to the protocol. */
class Reader {
  text = "";
  notes: number[] = [];
  opens: string[] = [];
  cursor?: string;
  done?: string;

  take(message: StreamMessage): void {
    if (message.kind === "open") {
      const { taskId, resume, reset } = message;
      this.opens.push([taskId, resume, ...(reset ? ["reset"] : [])].join(" "));
      if (reset) [this.text, this.notes] = ["", []];
    } else if (message.kind === "done") this.done = message.reason;
    else if (message.event.seriesId === undefined) this.notes.push(message.event.index);
    else {
      const { delta } = message.event.data as { delta: string };
      this.text = message.event.seriesSnapshot ? delta : this.text + delta;
    }
    if ("cursor" in message) this.cursor = message.cursor;
  }

  async follow(stream: ReadableStream<StreamMessage>, until: () => boolean): Promise<void> {
    for await (const message of stream) {
      this.take(message);
      if (until()) return;
    }
  }
}

async function readOnce(engine: TaskEngine, since: Since): Promise<Reader> {
  const reader = new Reader();
  await reader.follow(engine.subscribe("t", { since }), () => reader.done !== undefined);
  return reader;
}

Deno.test("a live reader gets a reset when its events are lost, and then the current log", async () => {
  for (const seriesFormat of ["delta", "accumulated"] as const) {
    await using setup = await start();
    const { engine, store, saved } = setup;
    const reader = new Reader();
    const hasLost = Promise.withResolvers<void>();
    const following = reader.follow(engine.subscribe("t", { seriesFormat }), () => {
      if (reader.text === "abcdeLOST") hasLost.resolve();
      return reader.done !== undefined;
    });
    await hasLost.promise;
    await store.restore(saved);
    await say(engine, "12345678");
    await engine.transitionTask("t", "completed");
    await following;
    assert.equal(reader.text, "abcde12345678");
    assert.deepEqual(reader.opens, ["t start", "t expired reset"]);
  }
});

Deno.test("a live reader gets a reset even if the log stays shorter than before", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  const reader = new Reader();
  const following = reader.follow(engine.subscribe("t"), () => {
    if (reader.text === "abcdeLOST") void store.restore(saved);
    return reader.opens.length === 2 && reader.text === "abcde";
  });
  await following;
  assert.deepEqual(reader.opens, ["t start", "t expired reset"]);
});

Deno.test("a reader without any of the lost events gets no reset", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  const before = new Reader();
  await before.follow(engine.subscribe("t", { limit: 0 }), () => before.opens.length === 1);
  const early = (await engine.getEvents("t", { limit: 3 })).nextCursor!;
  await store.restore(saved);
  await say(engine, "12345678");
  await engine.transitionTask("t", "completed");
  const reader = await readOnce(engine, { id: early });
  assert.deepEqual(reader.opens, ["t exact"]);
  assert.equal(reader.text, "de12345678");
});

Deno.test("cursors of lost events have expired: exact, in mid-replay, at an end, and ahead", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  await engine.publishEvents("t", [{ type: "note", data: 1 }, { type: "note", data: 2 }]);
  const partial = new Reader();
  await partial.follow(engine.subscribe("t"), () => partial.notes.length === 1);
  assert.equal(decodeCursor(partial.cursor!)!.kind, "partial");
  const exact = (await engine.getEvents("t", { limit: 8 })).nextCursor!;
  await engine.transitionTask("t", "failed");
  const done = (await readOnce(engine, {})).cursor!;
  assert.equal(decodeCursor(done)!.kind, "done");
  const { incarnation } = decodeCursor(done)!;
  for (const text of ["", "1", "12345", "12345678"]) {
    await store.restore(saved);
    await say(engine, text);
    const stillRuns = new Reader();
    await stillRuns.follow(
      engine.subscribe("t", { since: { id: done } }),
      () => stillRuns.text === `abcde${text}`,
    );
    assert.deepEqual(stillRuns.opens, ["t expired reset"]);
    await engine.transitionTask("t", "completed");
    for (const id of [partial.cursor!, exact, done, `${incarnation}-e4000`]) {
      const reader = await readOnce(engine, { id });
      assert.deepEqual(reader.opens, ["t expired reset"], `${id} after ${text}`);
      assert.equal(reader.text, `abcde${text}`);
      assert.equal(reader.done, "completed");
      assert.equal(reader.notes.length, 1, "the end");
    }
  }
});

Deno.test("a cursor of version 0.1.0 continues, and counts as expired beyond the log's end", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  const { nextCursor } = await engine.getEvents("t", { limit: 8 });
  const { fingerprint, ...place } = decodeCursor(nextCursor!)!;
  const old = encodeCursor(place);
  assert(fingerprint !== undefined && old !== nextCursor);
  const reader = new Reader();
  await reader.follow(engine.subscribe("t", { since: { id: old } }), () => reader.text === "T");
  assert.deepEqual(reader.opens, ["t exact"]);
  await store.restore(saved);
  const told = new Reader();
  await told.follow(engine.subscribe("t", { since: { id: old } }), () => told.text === "abcde");
  assert.deepEqual(told.opens, ["t expired reset"]);
});

Deno.test("pages of a lost history are refused, not mixed with another's", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  const { nextCursor } = await engine.getEvents("t", { limit: 7 });
  await store.restore(saved);
  await say(engine, "12345678");
  for (const seriesFormat of ["delta", "accumulated"] as const) {
    await assert.rejects(
      engine.getEvents("t", { since: { id: nextCursor }, seriesFormat }),
      { code: "INVALID_CURSOR", message: /the store was restored/ },
    );
  }
});

Deno.test("a reader of all tasks gets a reset of the replaced task only", async () => {
  await using setup = await start();
  const { engine, store, saved } = setup;
  // A task of the same millisecond as the subscription counts as new.
  const { createdAt } = (await engine.getTask("t"))!;
  await until(() => Date.now() > createdAt, "the task is older than the subscription");
  const reader = new Reader();
  const stream = engine.subscribeAll();
  const texts = new Map<string, string>();
  const following = (async () => {
    for await (const message of stream) {
      if (message.kind === "event" && message.event.taskId === "other") {
        texts.set("other", `${texts.get("other") ?? ""}${message.event.type} `);
      } else reader.take(message);
      if (reader.text === "abcde12345678") return;
    }
  })();
  await engine.createTask({ id: "other" });
  await say(engine, "x");
  await until(() => reader.text === "x", "the reader is live");
  await store.restore(saved);
  await say(engine, "12345678");
  await following;
  assert.deepEqual(reader.opens, ["t expired reset"]);
});
