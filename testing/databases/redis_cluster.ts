import { Redis } from "ioredis";
import { freePorts } from "../network/free_port.ts";
import type { RedisServer } from "./redis_server.ts";
import { redisProgram, startRedis } from "./redis_server.ts";
import { until } from "../sse/sse.ts";

/** A node of a test cluster. */
export interface ClusterNode extends RedisServer {
  /** Port of the cluster bus. */
  bus: number;
  /** Id of the node in the cluster. */
  id: string;
  admin: Redis;
}

/** A slot that is being moved to another node. */
export interface SlotMove {
  /** Moves these keys, or all that are left. */
  move(keys?: readonly string[]): Promise<void>;
  /** Announces to the nodes that the move is complete. */
  finish(): Promise<void>;
}

/** A Redis cluster of the tests. */
export interface RedisCluster extends AsyncDisposable {
  nodes: ClusterNode[];
  /** Folder of the nodes' files. */
  folder: string;
  /** Starts a node that joins without slots. */
  add(): Promise<ClusterNode>;
  /** Returns the output of `redis-cli --cluster`; rejects if it fails. */
  cli(...args: string[]): Promise<string>;
  /** Returns the node that owns a slot. */
  ownerOf(slot: number): Promise<ClusterNode>;
  /** Begins to move a slot, as redis-cli does. */
  beginMove(slot: number, to: ClusterNode): Promise<SlotMove>;
}

const SLOTS = 16_384;

/** Starts a cluster of masters that share the slots equally. */
export async function startRedisCluster(size: number): Promise<RedisCluster> {
  await using stack = new AsyncDisposableStack();
  let owned = stack; // Nodes may also be added later.
  const folder = await Deno.makeTempDir({ prefix: "taskcast-cluster-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const nodes: ClusterNode[] = [];

  const start = async (): Promise<ClusterNode> => {
    const [port, bus] = freePorts(2) as [number, number];
    const dir = `${folder}/${port}`;
    await Deno.mkdir(dir);
    const args = ["--cluster-enabled", "yes", "--cluster-port", `${bus}`];
    args.push("--cluster-node-timeout", "2000");
    const server = owned.use(await startRedis({ folder: dir, port, args }));
    const admin = new Redis(port);
    owned.defer(() => admin.disconnect());
    const id = await admin.call("CLUSTER", "MYID") as string;
    const node = { ...server, bus, id, admin };
    if (nodes.length > 0) {
      await admin.call("CLUSTER", "MEET", "127.0.0.1", `${nodes[0]!.port}`, `${nodes[0]!.bus}`);
    }
    nodes.push(node);
    return node;
  };

  const isWhole = async () => {
    const infos = await Promise.all(nodes.map(({ admin }) => admin.call("CLUSTER", "INFO")));
    return infos.every((info) =>
      String(info).includes("cluster_state:ok") &&
      String(info).includes(`cluster_known_nodes:${nodes.length}\r`)
    );
  };
  for (let i = 0; i < size; i++) {
    const { admin } = await start();
    const [from, to] = [i, i + 1].map((n) => Math.floor(n * SLOTS / size)) as [number, number];
    await admin.call("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to - 1}`);
  }
  await until(isWhole, "the cluster is whole");

  const ownerOf = async (slot: number): Promise<ClusterNode> => {
    const ranges = await nodes[0]!.admin.call("CLUSTER", "SLOTS") as [number, number, string[]][];
    const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
    return nodes.find(({ id }) => id === master[2])!;
  };
  owned = stack.move();
  return {
    nodes,
    folder,
    ownerOf,
    async add() {
      const node = await start();
      await until(isWhole, "the new node has joined");
      return node;
    },
    async cli(...args) {
      // The client program of the same installation.
      const program = (await redisProgram())!.replace("-server", "-cli");
      const command = new Deno.Command(program, { args: ["--cluster", ...args] });
      const { success, stdout, stderr } = await command.output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      if (!success) throw new Error(text);
      return text;
    },
    async beginMove(slot, to) {
      const from = await ownerOf(slot);
      await to.admin.call("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", from.id);
      await from.admin.call("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", to.id);
      const move = async (keys: readonly string[]) => {
        if (keys.length === 0) return;
        const target = ["127.0.0.1", `${to.port}`, "", "0", "5000"];
        await from.admin.call("MIGRATE", ...target, "KEYS", ...keys);
      };
      return {
        async move(keys) {
          const all = async () =>
            await from.admin.call("CLUSTER", "GETKEYSINSLOT", `${slot}`, "1000") as string[];
          if (keys !== undefined) return await move(keys);
          for (let left = await all(); left.length > 0; left = await all()) await move(left);
        },
        async finish() {
          for (const { admin } of [to, from, ...nodes]) {
            const assigned = admin.call("CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id);
            // A node that has lost its last slot becomes a replica.
            await assigned.catch((error: Error) => {
              if (!error.message.includes("only with masters")) throw error;
            });
          }
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
