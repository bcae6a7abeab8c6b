import { createHash } from "node:crypto";
import { SCRIPTS } from "../_generated_scripts.ts";
import type { RedisClient, RedisPipeline, Reply } from "../connection/client.ts";
import type { ClusterNodes } from "../connection/cluster_nodes.ts";
import type { Connection } from "../connection/connection.ts";
import type { Unsent } from "./lane.ts";
import type { Generations } from "./generations.ts";
import { generationKeyOf } from "../partitions.ts";
import type { Answer } from "./free_pipeline.ts";
import { freePipeline } from "./free_pipeline.ts";
import type { ScriptCall, ScriptName } from "./script_call.ts";
import { unavailable } from "../connection/unavailable.ts";

/**
 * Scripts that change one task's log. A server must know all of them or none: if it knew only one,
 * a change resent by its text would fall behind later ones.
 */
const COMMIT_SCRIPTS = ["publish", "commit"] as const;

/** Scripts that may run twice. */
const REPEATABLE: ReadonlySet<ScriptName> = new Set<ScriptName>([
  "accept_loss",
  "check",
  "count_matches",
  "due",
  "echo",
  "find_generation",
  "get_task",
  "list_tasks",
  "scheduled",
  "read_log",
  "read_notes",
  "read_folds",
]);

const HASHES = new Map(
  Object.entries(SCRIPTS).map(([name, lua]) => [
    name,
    createHash("sha1").update(lua).digest("hex"),
  ]),
);

/** The way a group of calls is sent. */
interface Route {
  pipeline: RedisPipeline;
  /** Set if sent directly to a cluster node. */
  isDirect: boolean;
  /** Returns whether the client may have sent the group twice, with a reply to the second only. */
  isUnsure(): boolean;
}

/** Sends groups of calls and settles those that ran or failed. */
export class ScriptSender {
  readonly #client: RedisClient;
  readonly #connection: Connection;
  readonly #nodes: ClusterNodes;
  readonly #generations: Generations;
  readonly #newGeneration: string = crypto.randomUUID().slice(0, 8);

  constructor(
    client: RedisClient,
    { connection, nodes, generations }: {
      connection: Connection;
      nodes: ClusterNodes;
      generations: Generations;
    },
  ) {
    this.#client = client;
    this.#connection = connection;
    this.#nodes = nodes;
    this.#generations = generations;
  }

  /**
   * Sends calls: on a cluster of one partition, otherwise of any.
   *
   * @returns Unsettled calls that must be sent again.
   */
  async send(calls: readonly ScriptCall[], by: "evalsha" | "eval"): Promise<Unsent> {
    const unsent: Unsent = { unknown: [], moved: [] };
    const { base } = calls[0]!;
    let route: Route;
    let replies: Answer[];
    try {
      route = this.#routeTo(base);
      const { pipeline } = route;
      const loads = by === "eval" ? COMMIT_SCRIPTS : [];
      for (const name of loads) pipeline.script("LOAD", SCRIPTS[name]);
      for (const call of calls) this.#add(pipeline, call, by);
      const answers = await this.#connection.answer(pipeline.exec(), base);
      // A user without the right to load scripts loses only the order of changes.
      replies = freePipeline(pipeline, answers).slice(loads.length);
    } catch (error) {
      for (const { reject } of calls) reject(error);
      return unsent;
    }
    // Nothing here throws: each call is settled once, and counts as pending until then.
    for (const [i, call] of calls.entries()) {
      const [error, reply] = replies[i] ?? [unavailable("the connection broke"), null];
      if (error !== null) this.#keepOrReject(call, error, { by, route, unsent });
      else if (Array.isArray(reply)) call.resolve(this.#withoutGeneration(call.base, reply));
      else call.reject(unavailable("it replied to a script with something other than a list"));
    }
    return unsent;
  }

  #add(pipeline: RedisPipeline, call: ScriptCall, by: "evalsha" | "eval"): void {
    const { base, script, args } = call;
    const generation = this.#generations.of(base);
    const values = call.sentWith ??= typeof args === "function" ? args() : args;
    const code = by === "eval" ? SCRIPTS[script] : HASHES.get(script)!;
    // While a slot is moving, a node checks only the keys named in the call, and treats keys that a
    // script looks up itself as missing. For two keys it requires both or replies TRYAGAIN. The
    // first of these two never exists, so no script runs on half a slot.
    if (this.#client.isCluster) {
      pipeline[by](
        code,
        2,
        base,
        generationKeyOf(base),
        generation,
        this.#newGeneration,
        ...values,
      );
    } else pipeline[by](code, 1, base, generation, this.#newGeneration, ...values);
  }

  #routeTo(base: string): Route {
    const connection = this.#connection;
    if (!this.#client.isCluster) {
      const { breaks } = connection;
      const isUnsure = () => connection.breaks !== breaks;
      return { pipeline: this.#client.pipeline(), isDirect: false, isUnsure };
    }
    const nodes = this.#nodes;
    const node = nodes.of(base);
    if (node === undefined) {
      return { pipeline: this.#client.pipeline(), isDirect: false, isUnsure: () => true };
    }
    const breaks = nodes.breaksOf(node);
    const isUnsure = () => nodes.breaksOf(node) !== breaks;
    return { pipeline: node.pipeline(), isDirect: true, isUnsure };
  }

  /** Keeps a call that can be sent again, or rejects it. */
  #keepOrReject(
    call: ScriptCall,
    error: Error,
    { by, route, unsent }: { by: "evalsha" | "eval"; route: Route; unsent: Unsent },
  ): void {
    const { message } = error;
    const isUnknown = by === "evalsha" && message.startsWith("NOSCRIPT");
    const isElsewhere = this.#client.isCluster === true &&
      /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(message);
    const isBroken = route.isDirect && message === "Connection is closed.";
    // The client resends unanswered commands after a break. This is then the reply to the second
    // request, and the first may have run.
    if (isBroken || route.isUnsure()) call.mayBeDone = true;
    if ((isUnknown || isElsewhere) && !call.mayBeDone) call.sentWith = undefined;
    if (isUnknown) unsent.unknown.push(call);
    else if (isElsewhere || (isBroken && isRepeatable(call))) {
      unsent.moved.push(call);
      unsent.cause ??= error;
    } else call.reject(error);
  }

  #withoutGeneration(base: string, reply: readonly Reply[]): readonly Reply[] {
    this.#generations.learn(base, (reply as Reply[]).pop() as string);
    return reply;
  }
}

/**
 * Returns whether a call that may have run can be sent again: numbered calls detect repetitions.
 */
function isRepeatable({ script, args }: ScriptCall): boolean {
  return typeof args === "function" || REPEATABLE.has(script);
}
