import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { breather } from "./breathe.ts";

Deno.test("work that breathes lets sockets be heard after each slice of it", async () => {
  const server = createServer((socket) => void socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let echoes = 0;
  let isOver = false;
  socket.on("data", () => {
    echoes++;
    if (!isOver) socket.write("x");
  });
  socket.write("x");
  // Each piece of work takes a millisecond, so that the count does not depend on the machine.
  const { now } = performance;
  let timeMs = now.call(performance);
  performance.now = () => timeMs;
  const breathe = breather();
  try {
    for (let pieces = 0; pieces < 3_000; pieces++) {
      timeMs++;
      await breathe();
    }
  } finally {
    performance.now = now;
  }
  // With turns alone it is about twenty.
  assert(echoes >= 60, `${echoes} echoes during 3 s of work`);
  isOver = true;
  socket.end();
  server.close();
  await once(server, "close");
});

Deno.test("readers that yield at the same time continue one after another", async () => {
  const { now } = performance;
  let timeMs = now.call(performance) + 1_000;
  performance.now = () => timeMs;
  const order: string[] = [];
  const work = async (name: string) => {
    const breathe = breather();
    for (let i = 0; i < 3; i++) {
      timeMs += 20;
      await breathe();
      order.push(name);
    }
  };
  try {
    await Promise.all([work("a"), work("b")]);
  } finally {
    performance.now = now;
  }
  assert.deepEqual(order.join(""), "ababab");
});

Deno.test("work that is over within a slice has one turn for each breath, and does not rest", async () => {
  const { now } = performance;
  let timeMs = now.call(performance) + 10_000;
  performance.now = () => timeMs;
  const { setImmediate } = globalThis as unknown as {
    setImmediate: (callback: () => void) => void;
  };
  let turns = 0;
  try {
    const breathe = breather();
    Object.assign(globalThis, {
      setImmediate: (callback: () => void) => {
        turns++;
        setImmediate(callback);
      },
    });
    for (let breaths = 1; breaths <= 3; breaths++) {
      timeMs += 3;
      await breathe();
      assert.equal(turns, breaths);
    }
    timeMs += 3;
    await breathe();
    assert(turns > 60, `${turns} turns`);
  } finally {
    performance.now = now;
    Object.assign(globalThis, { setImmediate });
  }
});
