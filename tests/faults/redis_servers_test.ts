import assert from "node:assert/strict";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { freePort } from "../../testing/network/free_port.ts";
import type { ClusterNode } from "../../testing/databases/redis_cluster.ts";
import { startRedisCluster } from "../../testing/databases/redis_cluster.ts";
import { MASTER_NAME, startRedisSentinels } from "../../testing/databases/redis_sentinels.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// TASKCAST_REDIS_URL names a Redis of several servers: a cluster of six nodes, or three Sentinels.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `adapters/redis/tests/conformance_test.ts` says that it is left out.

const IDS = Array.from({ length: 24 }, (_, i) => `t${i}`);

async function create(url: string): Promise<void> {
  for (const id of IDS) {
    const body = JSON.stringify({ id });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/tasks`, { method: "POST", headers, body });
    assert.equal(response.status, 201, await response.text());
  }
}

async function publishes(url: string, id: string): Promise<boolean> {
  const response = await fetch(`${url}/tasks/${id}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "n", data: 1 }),
  });
  await response.body?.cancel();
  return response.status === 201;
}

/** Returns the tasks that currently accept events. */
async function reachable(url: string): Promise<string[]> {
  const results = await Promise.all(IDS.map((id) => publishes(url, id)));
  return IDS.filter((_, i) => results[i]);
}

interface Readiness {
  code: number;
  status: string;
  dependencies: Record<string, { degraded?: string; error?: string }>;
}

async function ready(url: string): Promise<Readiness> {
  const response = await fetch(`${url}/health/ready`);
  return { code: response.status, ...await response.json() };
}

/** A cluster of three shards, each of a master and a replica. */
async function startSix() {
  const cluster = await startRedisCluster(3);
  const masters = [...cluster.nodes];
  const shards: [ClusterNode, ClusterNode][] = [];
  for (const master of masters) {
    await master.admin.config("SET", "repl-diskless-sync-delay", "0");
    const replica = await cluster.add();
    await until(async () => {
      try {
        await replica.admin.call("CLUSTER", "REPLICATE", master.id);
        return true;
      } catch {
        return false; // It does not know this master yet.
      }
    }, "the replica has its master");
    shards.push([master, replica]);
  }
  for (const { admin } of cluster.nodes) {
    admin.on("error", () => {}); // Some will be killed.
    await admin.config("SET", "cluster-node-timeout", "500");
    await admin.config("SET", "cluster-require-full-coverage", "no");
  }
  for (const [, { admin }] of shards) {
    await until(async () => (await admin.info()).includes("master_link_status:up"), "it follows");
  }
  return { cluster, shards };
}

test("redis: a server on a cluster of six survives the loss of a master, and serves the other shards meanwhile", async () => {
  const { cluster, shards } = await startSix();
  await using _ = cluster;
  const hosts = cluster.nodes.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
  await using server = await startCli([], { TASKCAST_REDIS_URL: `redis-cluster://${hosts}` });
  const { url } = server;
  await create(url);
  assert.deepEqual(await reachable(url), IDS);
  assert.equal((await ready(url)).status, "ready");

  await shards[0]![0].kill();
  await until(async () => (await reachable(url)).length === IDS.length, "the replica took over");
  await until(async () => (await ready(url)).status === "ready", "it is ready again");

  for (const { process } of shards[1]!) process.kill("SIGSTOP");
  const isDegraded = async () => {
    const { code, status, dependencies: { shortTermStore } } = await ready(url);
    assert.equal(code, 200, "it is never unready");
    return status === "degraded" &&
      /a shard .* is unreachable/.test(shortTermStore?.degraded ?? "");
  };
  await until(isDegraded, "it is degraded");
  const left = await reachable(url);
  assert(left.length > 0 && left.length < IDS.length, `${left.length} are served`);
  for (const { process } of shards[1]!) process.kill("SIGCONT");
  await until(async () => (await reachable(url)).length === IDS.length, "all are served again");
  await until(async () => (await ready(url)).status === "ready", "it is ready again");
});

test("redis: a server with three Sentinels follows a failover to another master", async () => {
  const passwords = { password: "server-word", sentinelPassword: "sentinel-word" };
  await using redis = await startRedisSentinels(passwords);
  // The first Sentinel does not exist, so another one is used.
  const hosts = [`127.0.0.1:${freePort()}`, ...redis.ports.map((port) => `127.0.0.1:${port}`)];
  const address = `redis-sentinel://:server-word@${hosts}/${MASTER_NAME}/1`;
  const TASKCAST_REDIS_URL = `${address}?sentinelPassword=sentinel-word`;
  await using server = await startCli([], { TASKCAST_REDIS_URL });
  await create(server.url);
  assert.deepEqual(await reachable(server.url), IDS);
  assert.equal((await ready(server.url)).status, "ready");
  await redis.master.kill();
  await until(async () => (await reachable(server.url)).length === IDS.length, "it follows");
  await until(async () => (await ready(server.url)).status === "ready", "it is ready again");
  assert(!/(server|sentinel)-word/.test(server.process.err), server.process.err);

  // Each problem is reported in one line.
  const cases: [string, RegExp][] = [
    [
      `redis://:sentinel-word@127.0.0.1:${redis.ports[0]}`,
      /^error: Cannot use redis at 127.*this is a Sentinel; .* redis-sentinel:\/\/host:26379/,
    ],
    [
      `redis-sentinel://:server-word@${hosts}/other?sentinelPassword=sentinel-word`,
      /^error: Cannot use redis at 127\S+,127.*(other|Sentinel|sentinel)/,
    ],
  ];
  for (const [url, message] of cases) await assertRefused(url, message);
});

test("redis: an address of the wrong kind is refused at the start with a reason", async () => {
  await using cluster = await startRedisCluster(2);
  await using single = await startRedis();
  const [node] = cluster.nodes;
  await assertRefused(
    `redis://127.0.0.1:${node!.port}`,
    /^error: Cannot use redis at 127\S+: .*node of a cluster; .* redis-cluster:\/\//,
  );
  await assertRefused(
    `redis-cluster://127.0.0.1:${single.port}`,
    /^error: Cannot use redis at 127\S+: .*this is no cluster; .* redis:\/\//,
  );
  await assertRefused(
    `redis-sentinel://127.0.0.1:${single.port}/main`,
    /^error: Cannot use redis at 127\S+: .*this is no Sentinel; .* redis:\/\//,
  );
  await assertRefused(
    `redis-cluster://u:secret@127.0.0.1:${freePort()},127.0.0.1:${freePort()}`,
    /^error: Cannot use redis at 127\S+,127\S+: .*(ECONNREFUSED|does not answer)/,
  );
  await assertRefused("redis-cluster://u:secret@a:1,b:99999", /its address is not a URL/);
  await assertRefused("redis-cluster://u:secret@a:1,b:2/3", /a cluster has one database/);
  await assertRefused("redis-sentinel://u:secret@a:1,b:2", /needs the name of the master/);
});

async function assertRefused(address: string, message: RegExp): Promise<void> {
  const { code, err } = await runCli(["start", "--redis-url", address], { TASKCAST_PORT: "0" });
  assert.equal(code, 1, err);
  assert.match(err.trimEnd(), message);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
  assert(!/secret|(server|sentinel)-word/.test(err), err);
}
