import assert from "node:assert/strict";
import { EventSource } from "eventsource";
import { SeriesView } from "@taskcast/client";
import type { Frame } from "../../testing/sse/sse.ts";
import { allFrames, frames } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import type { AnyServer } from "../../testing/servers/any_server.ts";
import { hurriedFetch } from "../../testing/network/hurried_fetch.ts";

const answer = { type: "llm.delta", seriesId: "answer", seriesMode: "accumulate" } as const;

async function mixedTask({ engine }: AnyServer): Promise<string> {
  const { id } = await engine.createTask();
  await engine.publishEvents(id, [
    { type: "note", data: 1 },
    { ...answer, data: { delta: "Hel" } },
    { type: "progress", data: 10, seriesId: "p", seriesMode: "latest" },
    { type: "note", data: 2 },
    { ...answer, data: { delta: "lo " } },
    { type: "progress", data: 90, seriesId: "p", seriesMode: "latest" },
    { type: "note", data: 3 },
  ]);
  return id;
}

function outcome(all: readonly Frame[]) {
  const view = new SeriesView();
  const events = all.filter((frame) => frame.event === "taskcast.event").map((frame) => frame.data);
  for (const event of events) view.add(event);
  return {
    notes: events.filter((event) => event.type === "note").map((event) => event.data),
    text: view.text("answer"),
    progress: view.latest("p"),
    ends: all.filter((frame) => frame.event === "taskcast.done").length,
  };
}

Deno.test("a connection that is cut at any frame, also during a replay, is resumed exactly", async () => {
  await using server = await startAnyServer();
  for (const query of ["", "?seriesFormat=accumulated", "?wrap=true&limit=100"]) {
    for (let cut = 1; cut < 12; cut++) {
      const id = await mixedTask(server);
      const url = `${server.url}/tasks/${id}/events${query}`;
      const seen: Frame[] = [];
      let cursor: string | undefined;
      const read = async (limit: number) => {
        for await (const frame of frames(url, { cursor })) {
          seen.push(frame);
          cursor = frame.id || cursor;
          if (--limit === 0) return;
        }
      };
      const finish = async () => {
        await server.engine.publishEvents(id, [
          { ...answer, data: { delta: "world" } },
          { type: "note", data: 4 },
        ]);
        await server.engine.transitionTask(id, "completed");
      };
      if (cut > 5) {
        const reading = read(cut);
        await finish();
        await reading;
      } else {
        await read(cut);
        await finish();
      }
      if (!seen.some((frame) => frame.event === "taskcast.done")) await read(Infinity);
      assert.deepEqual(outcome(seen), {
        notes: [1, 2, 3, 4],
        text: "Hello world",
        progress: 90,
        ends: 1,
      }, `query "${query}", cut after ${cut}`);
    }
  }
});

Deno.test("the end is sent again to the cursor before it, and the final cursor gets 204", async () => {
  await using server = await startAnyServer();
  const id = await mixedTask(server);
  await server.engine.transitionTask(id, "failed");
  const url = `${server.url}/tasks/${id}/events`;
  const all = await allFrames(url);
  const [before, done] = all.slice(-2) as [Frame, Frame];
  const again = await allFrames(url, before.id);
  assert.deepEqual(again.map((frame) => frame.event), ["taskcast.open", "taskcast.done"]);
  const { status } = await server.call("GET", `/tasks/${id}/events`, undefined, {
    "last-event-id": done.id!,
  });
  assert.equal(status, 204);
});

Deno.test("taskcast.open reports how the cursor was resolved", async () => {
  await using server = await startAnyServer();
  const id = await mixedTask(server);
  const url = `${server.url}/tasks/${id}/events`;
  const read = async (count: number, cursor?: string) => {
    const seen: Frame[] = [];
    for await (const frame of frames(url, { cursor })) {
      seen.push(frame);
      if (seen.length === count) break;
    }
    return seen;
  };
  const first = await read(6);
  assert.deepEqual(first[0]!.data, { taskId: id, status: "pending", resume: "start", head: 6 });
  assert.equal((await read(1, first[1]!.id))[0]!.data.resume, "collapsed");
  assert.equal((await read(1, first[5]!.id))[0]!.data.resume, "exact");
  assert.equal((await read(1, first[5]!.data.eventId))[0]!.data.resume, "exact");
});

Deno.test("since.index, since.timestamp and limit select the replayed events", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  for (let i = 0; i < 10; i++) {
    await engine.publishEvent(id, { type: i % 2 ? "odd" : "even", data: i });
  }
  await engine.transitionTask(id, "completed");
  const numbers = async (query: string) =>
    (await allFrames(`${server.url}/tasks/${id}/events?includeStatus=false&${query}`))
      .filter((frame) => frame.event === "taskcast.event").map((frame) => frame.data.data);
  assert.deepEqual(await numbers("since.index=7"), [8, 9]);
  assert.deepEqual(await numbers("types=odd&since.index=2"), [7, 9]);
  assert.deepEqual(await numbers("limit=3"), [7, 8, 9]);
  assert.deepEqual(await numbers("types=even&limit=2"), [6, 8]);
  assert.deepEqual(await numbers("limit=0"), []);
  assert.equal((await numbers("since.timestamp=0")).length, 10);
  assert.deepEqual(await numbers(`since.timestamp=${Date.now() + 1000}`), []);
});

Deno.test("EventSource, a foreign client, follows a task to its end and stops", async () => {
  await using server = await startAnyServer();
  const id = await mixedTask(server);
  const { body: { ticket } } = await server.call("POST", `/tasks/${id}/tickets`);
  const url = `${server.url}/tasks/${id}/events?ticket=${ticket}`;
  const source = new EventSource(url, { fetch: hurriedFetch });
  const seen: Frame[] = [];
  const done = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  for (const name of ["taskcast.event", "taskcast.done"]) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      seen.push({ event: name, id: lastEventId, data: JSON.parse(data) });
      if (name === "taskcast.done") done.resolve();
    });
  }
  source.addEventListener("error", () => {
    if (source.readyState === source.CLOSED) closed.resolve();
  });
  await server.engine.publishEvent(id, { ...answer, data: { delta: "world" } });
  await server.engine.transitionTask(id, "completed");
  await done.promise;
  await closed.promise; // It reconnects with the final cursor, and 204 tells it to stop.
  assert.deepEqual(outcome(seen), { notes: [1, 2, 3], text: "Hello world", progress: 90, ends: 1 });
});

Deno.test("wrap=event puts the event itself on the data line, wrap=false only data and the end", async () => {
  await using server = await startAnyServer();
  const id = await mixedTask(server);
  await server.engine.transitionTask(id, "completed");
  const url = `${server.url}/tasks/${id}/events?since.timestamp=0`;
  const { events } = await server.engine.getEvents(id);
  const plain = await allFrames(`${url}&wrap=event`);
  assert.deepEqual(plain.map(({ event }) => event), [
    "taskcast.open",
    ...events.map(() => "taskcast.event"),
    "taskcast.done",
  ]);
  assert.deepEqual(plain.slice(1, -1).map(({ data }) => data), events);
  const bare = await allFrames(`${url}&wrap=false`);
  assert.deepEqual(bare.map(({ event }) => event), [
    ...events.map(() => "taskcast.event"),
    "taskcast.done",
  ]);
  assert.deepEqual(bare.slice(0, -1).map(({ data }) => data), events.map(({ data }) => data));
  // Cursors are the same in every format.
  assert.deepEqual(bare.map((frame) => frame.id), plain.slice(1).map((frame) => frame.id));
  const text = await (await fetch(`${url}&wrap=false`)).text();
  assert.match(text, /^retry: 1000\n: connected\n\nevent: taskcast\.event\n/);
});
