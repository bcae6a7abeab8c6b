import assert from "node:assert/strict";
import { ListenError } from "../listen_error.ts";
import { listenOnLoopback } from "./listen.ts";

/** Addresses of a machine that has not all of them. */
function machine(problem: (host: string, port: number) => ListenError["reason"] | undefined) {
  const open: string[] = [];
  let nextPort = 1_000;
  return {
    open,
    listenOn: ({ host, port: asked }: { host: string; port: number }) => {
      const port = asked === 0 ? nextPort++ : asked;
      const why = problem(host, port);
      if (why !== undefined) return Promise.reject(new ListenError(`${host}: ${why}`, why));
      const name = `${host} ${port}`;
      open.push(name);
      return Promise.resolve({
        port,
        shutdown: () => Promise.resolve(void open.splice(open.indexOf(name), 1)),
      });
    },
  };
}

Deno.test("listenOnLoopback() has one port on both addresses, and closes both", async () => {
  const { open, listenOn } = machine(() => undefined);
  const listening = await listenOnLoopback(0, listenOn);
  assert.deepEqual(open, ["127.0.0.1 1000", "::1 1000"]);
  assert.equal(listening.port, 1_000);
  await listening.shutdown();
  assert.deepEqual(open, []);
});

Deno.test("listenOnLoopback() does without ::1 where a machine has none", async () => {
  const { open, listenOn } = machine((host) => host === "::1" ? "unavailable" : undefined);
  assert.equal((await listenOnLoopback(3721, listenOn)).port, 3721);
  assert.deepEqual(open, ["127.0.0.1 3721"]);
});

Deno.test("listenOnLoopback() tries other free ports, and refuses one that is half taken", async () => {
  const taken = machine((host, port) => host === "::1" && port < 1_002 ? "taken" : undefined);
  assert.equal((await listenOnLoopback(0, taken.listenOn)).port, 1_002);
  assert.deepEqual(taken.open, ["127.0.0.1 1002", "::1 1002"]);
  const half = machine((host) => host === "::1" ? "taken" : undefined);
  await assert.rejects(listenOnLoopback(3721, half.listenOn), /::1: taken/);
  await assert.rejects(listenOnLoopback(0, half.listenOn), /::1: taken/);
  assert.deepEqual(half.open, []);
});
