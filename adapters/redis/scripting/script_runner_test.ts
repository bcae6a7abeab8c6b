import { TaskcastError } from "@taskcast/core/protocol";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { until } from "../../../testing/sse/sse.ts";
import type { RedisClient, RedisNode } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { Partitions } from "../partitions.ts";
import { ScriptRunner } from "./script_runner.ts";
import { StoreHealth } from "../store_health.ts";

const MAX_PENDING = 3;

const partitions = new Partitions({ prefix: "x", count: 2 });

/** A connection that passes replies through. */
const connection = {
  answer: <T>(reply: Promise<T>) => reply,
  renewIfNotMaster: () => false,
  close() {},
} as unknown as Connection;

/** The parts of a client besides its pipelines. */
const READY = {
  status: "ready",
  isCluster: false,
  call: (): Promise<unknown> => Promise.resolve("OK"),
  on() {},
  off() {},
};

/** The reply to a pipeline that asks for the number of partitions. */
const AGREED = [[null, "OK"], [null, "2"]];

Deno.test("a call counts as pending once, whatever its script returns", async () => {
  let lastReply: unknown = [1, "life"];
  let pipelines = 0;
  const client = {
    ...READY,
    pipeline() {
      let calls = 0;
      let asksForCount = false;
      const pipeline = {
        evalsha: () => calls++,
        call: () => asksForCount = true,
        exec() {
          if (asksForCount) return Promise.resolve(AGREED);
          pipelines++;
          return Promise.resolve(
            Array.from({ length: calls }, (_, i) => [null, i < calls - 1 ? [1, "l"] : lastReply]),
          );
        },
      };
      return pipeline;
    },
  } as unknown as RedisClient;
  const options = { connection, timeoutMs: 10_000, maxPending: MAX_PENDING };
  const runner = new ScriptRunner(client, partitions, options);
  const run = () => runner.run(partitions.bases[0]!, "check", []);
  const letThrough = async (calls: number) => {
    const settled = await Promise.allSettled(Array.from({ length: calls }, run));
    return settled.filter(({ status }) => status === "fulfilled").length;
  };
  await run();
  assert.equal(await letThrough(10), MAX_PENDING);
  lastReply = null;
  for (let i = 0; i < 5; i++) {
    pipelines = 0;
    const through = await letThrough(MAX_PENDING);
    assert.equal(through, MAX_PENDING - pipelines, "of each pipeline the last has no answer");
  }
  await assert.rejects(
    run(),
    (error) => error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE",
  );
  lastReply = [1, "life"];
  assert.equal(await letThrough(10), MAX_PENDING, "the bound is what it was");
  runner.close();
});

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Opens a client whose pipelines are answered by hand. */
function openByHand(timeoutMs = 10_000) {
  const sent: { scripts: string[]; by: string; answer: (error?: Error) => void }[] = [];
  const client = {
    ...READY,
    pipeline() {
      const scripts: string[] = [];
      let loads = 0;
      let by = "";
      let asksForCount = false;
      const add = (name: string) => (_code: string, keys: number, ...args: string[]) => {
        by = name;
        scripts.push(args.slice(keys + 2).join()); // After the known generation and a new one.
      };
      return {
        evalsha: add("evalsha"),
        eval: add("eval"),
        script: () => loads++,
        call: () => asksForCount = true,
        exec: () =>
          new Promise((resolve) => {
            if (asksForCount) return resolve(AGREED);
            const answer = (error: Error | null = null) =>
              resolve(
                Array.from({ length: loads + scripts.length }, () => [error, error ?? [1, "life"]]),
              );
            sent.push({ scripts, by, answer });
          }),
      };
    },
  } as unknown as RedisClient;
  const runner = new ScriptRunner(client, partitions, { connection, timeoutMs, maxPending: 1_000 });
  const run = (name: string, partition = 0) =>
    runner.run(partitions.bases[partition]!, "check", [name]);
  return { client: client as Mutable<RedisClient>, runner, run, sent };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Turns a client into one of a cluster with one node. */
function joinCluster(client: Mutable<RedisClient>): void {
  client.isCluster = true;
  client.slots = Array.from({ length: 16_384 }, () => ["h:1"]);
  const { pipeline, disconnect } = client;
  const call: RedisClient["call"] = (...args) => client.call(...args);
  client.refreshSlotsCache = (onDone) => onDone();
  const options = { host: "h", port: 1 };
  const node: RedisNode = { status: "ready", options, pipeline, call, disconnect, on: () => {} };
  client.nodes = () => [node];
}

/** Sends the first call to a server that does not know its script. */
async function forgetScript(sent: readonly { answer: (error: Error) => void }[]): Promise<void> {
  await turn();
  await turn();
  sent[0]!.answer(new Error("NOSCRIPT No matching script"));
  await turn();
}

Deno.test("calls of one turn are sent in a few groups and in their order, one call at its end", async () => {
  const { runner, run, sent } = openByHand();
  const first = run("first");
  await turn();
  await turn();
  assert.deepEqual(sent.map(({ scripts }) => scripts), [["first"]]);
  sent[0]!.answer();
  await first;
  sent.length = 0;
  const names = Array.from({ length: 100 }, (_, i) => `${i}`);
  const all = names.map((name) => run(name));
  await turn();
  await turn();
  assert.deepEqual(sent.flatMap(({ scripts }) => scripts), names);
  const sizes = sent.map(({ scripts }) => scripts.length);
  assert(sizes.length > 4 && sizes.length < 20, `${sizes}`);
  assert(Math.max(...sizes) <= 16, `${sizes}`);
  for (const { answer } of sent) answer();
  await Promise.all(all);
  runner.close();
});

Deno.test("while calls are sent again by their text, nothing else is sent, and calls that time out then are never sent", async () => {
  const { runner, run, sent } = openByHand(200);
  const noScript = new Error("NOSCRIPT No matching script");
  const first = run("0");
  await turn();
  await turn();
  sent[0]!.answer();
  await first;
  sent.length = 0;
  const all = Promise.allSettled(["1", "2", "3", "4"].map((name) => run(name)));
  await turn();
  const [a, b] = sent.splice(0);
  assert.deepEqual([a!.scripts, b!.scripts], [["1", "2"], ["3", "4"]]);
  a!.answer(noScript);
  await turn();
  const [again] = sent.splice(0);
  assert.deepEqual([again!.by, again!.scripts], ["eval", ["1", "2"]]);
  again!.answer();
  const late = run("late");
  await turn();
  await turn();
  assert.equal(sent.length, 0, "the others are not sent again yet");
  await assert.rejects(late, { code: "STORE_UNAVAILABLE" });
  const inTime = run("5");
  b!.answer(noScript);
  await turn();
  const [others] = sent.splice(0);
  assert.deepEqual([others!.by, others!.scripts], ["eval", ["3", "4"]]);
  others!.answer();
  await turn();
  const [last] = sent.splice(0);
  assert.deepEqual([last!.by, last!.scripts], ["evalsha", ["5"]]);
  last!.answer();
  await inTime;
  await all;
  runner.close();
});

Deno.test("calls that are held while the connection breaks are refused, and not sent on the next one", async () => {
  const { client, runner, run, sent } = openByHand();
  const first = run("0");
  await forgetScript(sent);
  const held = run("1");
  held.catch(() => {}); // Checked below.
  await turn();
  await turn();
  client.status = "reconnecting";
  sent[1]!.answer(new Error("Connection is closed."));
  await assert.rejects(first, { code: "STORE_UNAVAILABLE" });
  await assert.rejects(held, { code: "STORE_UNAVAILABLE" });
  client.status = "ready";
  const later = run("2");
  await turn();
  await turn();
  assert.deepEqual(sent.map(({ scripts }) => scripts), [["0"], ["0"], ["2"]]);
  sent[2]!.answer();
  await later;
  runner.close();
});

Deno.test("on a cluster only calls of the same partition wait until its node knows the scripts", async () => {
  const { client, runner, run, sent } = openByHand();
  client.isCluster = true;
  const first = run("0");
  await forgetScript(sent);
  const [same, other] = [run("1"), run("2", 1)];
  await turn();
  await turn();
  const all = () => sent.map(({ by, scripts }) => [by, ...scripts]);
  assert.deepEqual(all(), [["evalsha", "0"], ["eval", "0"], ["evalsha", "2"]]);
  for (const { answer } of sent) answer();
  await Promise.all([first, other]);
  await turn();
  assert.deepEqual(all().slice(3), [["evalsha", "1"]]);
  sent[3]!.answer();
  await same;
  runner.close();
});

Deno.test("a call that is sent again is built again, but unchanged if it may have been executed", async () => {
  for (const isCluster of [false, true]) {
    const { client, runner, sent } = openByHand();
    client.isCluster = isCluster;
    let number = 0;
    const call = runner.run(partitions.bases[0]!, "check", () => [`${++number}`]);
    await forgetScript(sent);
    // A cluster client may have sent it to two nodes without anybody knowing.
    assert.deepEqual(sent.map(({ scripts }) => scripts), [["1"], [isCluster ? "1" : "2"]]);
    sent[1]!.answer();
    await call;
    runner.close();
  }
});

Deno.test("on a cluster, calls whose slot is moved wait and are sent in order, rebuilt", async () => {
  const { client, runner, sent } = openByHand();
  joinCluster(client);
  let isWhole = false;
  const call = client.call;
  const half = new Error("TRYAGAIN Multiple keys request during rehashing of slot");
  client.call = (...args) => isWhole ? call(...args) : Promise.reject(half);
  let number = 0;
  const commit = () => runner.run(partitions.bases[0]!, "commit", () => [`${++number}`]);
  const first = commit();
  await turn();
  await turn();
  const second = commit();
  await turn();
  await turn();
  // The later one is answered first, and another arrives while it waits.
  sent[1]!.answer(new Error("MOVED 1 127.0.0.1:2"));
  const third = commit();
  await turn();
  await turn();
  sent[0]!.answer(half);
  await turn();
  const checking = new StoreHealth(client, runner, partitions).check();
  await until(() => sent.length === 3, "the other partition is asked");
  sent.pop()!.answer();
  assert.equal((await checking)?.status, "degraded");
  isWhole = true;
  sent.length = 0;
  await until(() => sent.length > 0, "they are sent again");
  assert.deepEqual(sent.map(({ scripts }) => scripts), [["3", "4", "5"]]);
  sent[0]!.answer();
  await Promise.all([first, second, third]);
  runner.close();
});

Deno.test("on a cluster calls are refused at once when a slot is nowhere for as long as an answer may take", async () => {
  const { client, runner, run, sent } = openByHand(100);
  joinCluster(client);
  const gone = new Error("CLUSTERDOWN Hash slot not served");
  const call = client.call;
  let isBack = false;
  client.call = (...args) => isBack ? call(...args) : Promise.reject(gone);
  const first = run("0");
  await turn();
  await turn();
  sent[0]!.answer(gone);
  await assert.rejects(first, { code: "STORE_UNAVAILABLE", message: /no node of the cluster/ });
  await assert.rejects(run("1"), { code: "STORE_UNAVAILABLE", message: /no node of the cluster/ });
  await assert.rejects(runner.probe(partitions.bases[0]!), { code: "STORE_UNAVAILABLE" });
  assert(!sent.some(({ scripts }) => scripts.includes("1")), "it is not sent");
  isBack = true;
  await until(async () => {
    const again = run("2").then(() => true, () => false);
    await turn();
    await turn();
    for (const { answer } of sent.splice(0)) answer();
    return await again;
  }, "it is used again");
  runner.close();
});
