import { DEFAULT_MAX_EVENTS, useTaskEvents, useTaskText } from "@taskcast/react";
import assert from "node:assert/strict";
import { createElement as h, Fragment } from "react";
import { countingServer, openPage } from "../../testing/pages/react_page.ts";
import { say } from "../../testing/sse/publish.ts";
import { until } from "../../testing/sse/sse.ts";

const tokens = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i} `);

Deno.test("2000 tokens render once a frame at most", async () => {
  const frames = countFrames();
  try {
    await using server = countingServer();
    const { id } = await server.engine.createTask();
    let renders = 0;
    const Answer = () => {
      renders++;
      return useTaskText(id, "answer");
    };
    using page = openPage({ baseUrl: server.url });
    page.show(h(Answer));
    await until(() => server.open() === 1, "it is followed");
    const all = tokens(2000);
    for (let at = 0; at < all.length; at += 50) {
      await say(server.engine, id, ...all.slice(at, at + 50));
    }
    await until(() => page.text() === all.join(""), "it shows the whole text");
    // One more for the first render, which is empty.
    assert(renders <= frames.count() + 1, `${renders} renders in ${frames.count()} frames`);
    page.unmount();
    await server.isLeftAlone();
  } finally {
    frames.restore();
  }
});

/** Frames as of a screen with 60 per second. */
function countFrames(): { count(): number; restore(): void } {
  const host = globalThis as Record<string, unknown>;
  let count = 0;
  host.requestAnimationFrame = (run: () => void) =>
    setTimeout(() => {
      count++;
      run();
    }, 1000 / 60);
  host.cancelAnimationFrame = clearTimeout;
  return {
    count: () => count,
    restore() {
      delete host.requestAnimationFrame;
      delete host.cancelAnimationFrame;
    },
  };
}

Deno.test("events are bounded, texts are whole, and dropped events are counted", async () => {
  await using server = countingServer();
  const { id } = await server.engine.createTask();
  const seen: Record<string, ReturnType<typeof useTaskEvents>> = {};
  function Watch({ name, maxEvents }: { name: string; maxEvents?: number }): string {
    seen[name] = useTaskEvents(id, { maxEvents });
    return `${name} ${seen[name].events.length} `;
  }
  function Answer(): string {
    return useTaskText(id, "answer");
  }
  using page = openPage({ baseUrl: server.url }, { strict: true });
  page.show(h(
    Fragment,
    null,
    h(Watch, { name: "few", maxEvents: 10 }),
    h(Watch, { name: "none", maxEvents: 0 }),
    h(Watch, { name: "default" }),
    h(Watch, { name: "many", maxEvents: 1500 }),
    h(Answer),
  ));
  await until(() => server.open() === 1, "it is followed");
  const all = tokens(2500);
  for (let at = 0; at < all.length; at += 500) {
    await say(server.engine, id, ...all.slice(at, at + 500));
  }
  await server.engine.transitionTask(id, "completed");
  await until(() => Object.values(seen).every(({ isDone }) => isDone), "all have ended");
  assert(page.text().endsWith(all.join("")));
  const total = seen.many!.events.length + seen.many!.dropped;
  assert(total <= 2501, `${total}`); // Fewer if the first of them were one snapshot.
  for (
    const [name, kept] of [["few", 10], ["none", 0], ["default", DEFAULT_MAX_EVENTS], [
      "many",
      1500,
    ]] as const
  ) {
    const { events, dropped } = seen[name]!;
    assert.deepEqual([events.length, dropped], [kept, total - kept], name);
    if (kept > 0) assert.equal(events.at(-1)!.type, "taskcast:status");
  }
  assert.equal(server.streams(), 1);
});

Deno.test("an invalid maxEvents is refused", async () => {
  for (const maxEvents of [-1, 1.5, NaN, Infinity]) {
    let refusal: unknown;
    const Watch = () => {
      try {
        useTaskEvents(undefined, { maxEvents });
      } catch (error) {
        refusal = error;
      }
      return null;
    };
    using page = openPage({ baseUrl: "http://localhost" });
    page.show(h(Watch));
    await until(() => refusal !== undefined, "it is refused");
    assert(refusal instanceof RangeError, String(refusal));
  }
});
