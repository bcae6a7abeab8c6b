import assert from "node:assert/strict";
import { encodeCursor } from "@taskcast/core/protocol";
import { withDefaults } from "../connection/connection_options.ts";
import type { FollowRequest } from "../follow.ts";
import { HttpClient } from "../http.ts";
import type { SseMessage } from "../connection/sse_messages.ts";
import { sharedFollow } from "./mod.ts";
import type { Locks } from "./platform.ts";
import type { Standing, TabMessage } from "./protocol.ts";
import { shareName } from "./share_name.ts";

// A real follower; the test plays the other tabs.

// Sending fails in Deno if the last channel is closed while another one is opened, so one stays open.
new BroadcastChannel("stays open");

const URL_OF_STREAM = "http://localhost/tasks/t/events";

/** Locks that another tab never releases. */
const heldByAnotherTab: Locks = {
  request: (_name, { signal }) =>
    new Promise((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")))
    ),
};

function message(kind: "exact" | "partial", index: number): SseMessage {
  const id = encodeCursor({ kind, incarnation: "abcd1234", index });
  return { event: "taskcast.event", data: JSON.stringify({ rawIndex: index }), id };
}

const done: SseMessage = { event: "taskcast.done", data: '{"reason":"completed"}' };

interface Stage {
  /** Messages that the follower yielded. */
  seen: SseMessage[];
  /** Cursors of the connections that the follower opened itself. */
  cursors: (string | undefined)[];
  ended: Promise<void>;
  /** Resolves with the follower's next request to join. */
  nextJoin(): Promise<{ from: string; standing: Standing }>;
  send(tabMessage: TabMessage): void;
}

/** @param own Messages that the server sends over the follower's own connection. */
async function withFollower(
  use: (stage: Stage) => Promise<void>,
  own: SseMessage[] = [],
  onReconnect?: FollowRequest["onReconnect"],
): Promise<void> {
  const http = new HttpClient({ baseUrl: "http://localhost" });
  const channel = new BroadcastChannel(await shareName(http, URL_OF_STREAM));
  const joins: { from: string; standing: Standing }[] = [];
  let wake = () => {};
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind !== "join") return;
    joins.push(data);
    wake();
  };
  const cursors: (string | undefined)[] = [];
  const follow = sharedFollow(
    http,
    async function* ({ signal, cursor }) {
      cursors.push(cursor);
      yield* own;
      if (own.at(-1) === done) return;
      await new Promise((resolve) => signal!.addEventListener("abort", resolve));
    },
    withDefaults({ takeOverMs: 1_000_000, idleTimeoutMs: 1_000_000 }),
    { locks: heldByAnotherTab, BroadcastChannel },
  );
  const seen: SseMessage[] = [];
  const ended = (async () => {
    const request = { taskId: "t", urlAt: () => URL_OF_STREAM, onReconnect };
    for await (const { value: _, ...message } of follow(request)) seen.push(message);
  })();
  await use({
    seen,
    cursors,
    ended,
    async nextJoin() {
      while (joins.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return joins.shift()!;
    },
    send: (tabMessage) => channel.postMessage(tabMessage),
  });
  channel.close();
}

Deno.test("Follower: joins a new leader at once, even if the old one did not announce its end", async () => {
  await withFollower(async ({ seen, ended, nextJoin, send }) => {
    const { from: to } = await nextJoin();
    const first = message("exact", 0);
    send({ kind: "backlog", to, term: "old", n: 1, items: [{ n: 1, message: first }] });
    send({ kind: "lead", term: "new" });
    const { standing } = await nextJoin();
    assert.equal(standing.cursor, first.id);
    send({
      kind: "backlog",
      to,
      term: "new",
      n: 2,
      items: [
        { n: 1, message: first }, // Already yielded.
        { n: 2, message: message("exact", 1) },
      ],
    });
    send({ kind: "message", term: "old", n: 2, message: message("exact", 9) }); // Ignored.
    send({ kind: "message", term: "new", n: 3, message: done });
    await ended;
    assert.deepEqual(seen, [first, message("exact", 1), done]);
  });
});

Deno.test("Follower: missing messages are requested again, from the exact position in the leader's stream", async () => {
  await withFollower(async ({ seen, ended, nextJoin, send }) => {
    const { from: to } = await nextJoin();
    // In the middle of a replay, a cursor does not identify the position exactly.
    const [first, second] = [message("partial", 0), message("partial", 1)];
    send({ kind: "backlog", to, term: "it", n: 1, items: [{ n: 1, message: first }] });
    for (let i = 0; i < 2; i++) {
      send({ kind: "message", term: "it", n: 3, message: done }); // Message 2 is missing.
      const { standing } = await nextJoin();
      assert.deepEqual([standing.term, standing.n, standing.cursor], ["it", 1, undefined]);
      send({ kind: "backlog", to, term: "it", n: 1, items: [] });
    }
    send({ kind: "message", term: "it", n: 2, message: second });
    send({ kind: "message", term: "it", n: 3, message: done });
    await ended;
    assert.deepEqual(seen, [first, second, done]);
  });
});

Deno.test("Follower: problems of the leader are reported, and a throwing callback ends the stream", async () => {
  const reported: [string, number][] = [];
  const onReconnect = (error: unknown, delayMs: number) => {
    reported.push([(error as Error).message, delayMs]);
    throw new RangeError("a bug of the host");
  };
  await withFollower(
    async ({ ended, nextJoin, send }) => {
      const { from: to } = await nextJoin();
      send({ kind: "backlog", to, term: "it", n: 0, items: [] });
      send({ kind: "trouble", term: "it", text: "no network", delayMs: 7 });
      await assert.rejects(ended, RangeError);
      assert.deepEqual(reported, [["no network", 7]]);
    },
    [],
    onReconnect,
  );
});

Deno.test("Follower: with its own connection, joins a leader only from an exact cursor", async () => {
  const own = [message("partial", 0), message("partial", 1), message("exact", 2)];
  await withFollower(async ({ seen, ended, nextJoin, send }) => {
    const first = await nextJoin();
    send({ kind: "unserved", to: first.from, term: "it", after: 1 });
    const { from: to, standing } = await nextJoin();
    assert.equal(standing.cursor, own[2]!.id);
    send({
      kind: "backlog",
      to,
      term: "it",
      n: 8,
      items: [
        { n: 7, message: message("exact", 2) },
        { n: 8, message: message("exact", 3) },
      ],
    });
    send({ kind: "message", term: "it", n: 9, message: done });
    await ended;
    assert.deepEqual(seen, [...own, message("exact", 3), done]);
  }, own);
});

Deno.test("Follower: reads damaged messages again from the server, from its own position", async () => {
  const own = [message("exact", 1), done];
  await withFollower(async ({ seen, cursors, ended, nextJoin, send }) => {
    const { from: to } = await nextJoin();
    const first = message("exact", 0);
    const damaged = { ...message("exact", 1), data: '{"rawIn' };
    const items = [{ n: 1, message: first }, { n: 2, message: damaged }];
    send({ kind: "backlog", to, term: "it", n: 2, items });
    await ended;
    assert.deepEqual(seen, [first, ...own]);
    assert.deepEqual(cursors, [first.id]);
  }, own);
});
