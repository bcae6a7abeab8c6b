import { createHash } from "node:crypto";
import { SCRIPTS } from "../_generated_scripts.ts";
import type { RedisClient, RedisPipeline, Reply } from "../connection/client.ts";
import type { ClusterNodes } from "../connection/cluster_nodes.ts";
import type { Connection } from "../connection/connection.ts";
import type { Unsent } from "./lane.ts";
import type { Lives } from "./lives.ts";
import { lifeKeyOf } from "../partitions.ts";
import type { Answer } from "./free_pipeline.ts";
import { released } from "./free_pipeline.ts";
import type { ScriptCall, ScriptName } from "./script_call.ts";
import { unavailable } from "../connection/unavailable.ts";

/**
 * Scripts that change one task's log. A server has to know all of them or none: where it knows one
 * only, a change that is sent again by its text falls behind those that were asked for after it.
 */
const COMMIT_SCRIPTS = ["publish", "commit"] as const;

/** Scripts that may be carried out twice. */
const REPEATABLE: ReadonlySet<ScriptName> = new Set<ScriptName>([
  "accept_loss",
  "check",
  "count_matches",
  "due",
  "echo",
  "find_life",
  "get_task",
  "list_tasks",
  "marked",
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

/** How a group of calls is sent. */
interface Route {
  pipeline: RedisPipeline;
  /** Straight to one node of a cluster. */
  isDirect: boolean;
  /** Returns true if the client may have sent the group twice and only the second was answered. */
  isUnsure(): boolean;
}

/** Sends groups of calls, and settles those that were carried out or failed. */
export class ScriptSender {
  readonly #client: RedisClient;
  readonly #connection: Connection;
  readonly #nodes: ClusterNodes;
  readonly #lives: Lives;
  readonly #newLife: string = crypto.randomUUID().slice(0, 8);

  constructor(
    client: RedisClient,
    { connection, nodes, lives }: { connection: Connection; nodes: ClusterNodes; lives: Lives },
  ) {
    this.#client = client;
    this.#connection = connection;
    this.#nodes = nodes;
    this.#lives = lives;
  }

  /**
   * Sends calls of one partition, or where there is no cluster of any.
   *
   * @returns Those to be sent again, which are not settled.
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
      // Who may not load scripts can do without: that costs the order of changes only.
      replies = released(pipeline, answers).slice(loads.length);
    } catch (error) {
      for (const { reject } of calls) reject(error);
      return unsent;
    }
    // Nothing here throws: each call is settled once, and counts as pending until it is.
    for (const [i, call] of calls.entries()) {
      const [error, reply] = replies[i] ?? [unavailable("the connection broke"), null];
      if (error !== null) this.#sort(call, error, { by, route, unsent });
      else if (Array.isArray(reply)) call.resolve(this.#withoutLife(call.base, reply));
      else call.reject(unavailable("it answered a script with something else than a list"));
    }
    return unsent;
  }

  #add(pipeline: RedisPipeline, call: ScriptCall, by: "evalsha" | "eval"): void {
    const { base, script, args } = call;
    const life = this.#lives.wordOf(base);
    const values = call.sentWith ??= typeof args === "function" ? args() : args;
    const code = by === "eval" ? SCRIPTS[script] : HASHES.get(script)!;
    // While a slot is being moved, a node only looks for the keys that it is told of, and takes
    // those that a script looks up by itself for missing. Of two keys it wants both or answers
    // TRYAGAIN; the first of these two is never a key, so nothing runs on half a slot.
    if (this.#client.isCluster) {
      pipeline[by](code, 2, base, lifeKeyOf(base), life, this.#newLife, ...values);
    } else pipeline[by](code, 1, base, life, this.#newLife, ...values);
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

  /** Keeps a call that can be sent again, or settles it with its error. */
  #sort(
    call: ScriptCall,
    error: Error,
    { by, route, unsent }: { by: "evalsha" | "eval"; route: Route; unsent: Unsent },
  ): void {
    const { message } = error;
    const isUnknown = by === "evalsha" && message.startsWith("NOSCRIPT");
    const isElsewhere = this.#client.isCluster === true &&
      /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(message);
    const isBroken = route.isDirect && message === "Connection is closed.";
    // A client sends again what had no answer when its connection broke: then this is what the
    // second request was answered, and the first may have been carried out.
    if (isBroken || route.isUnsure()) call.mayBeDone = true;
    if ((isUnknown || isElsewhere) && !call.mayBeDone) call.sentWith = undefined;
    if (isUnknown) unsent.unknown.push(call);
    else if (isElsewhere || (isBroken && isRepeatable(call))) {
      unsent.moved.push(call);
      unsent.cause ??= error;
    } else call.reject(error);
  }

  #withoutLife(base: string, reply: readonly Reply[]): readonly Reply[] {
    this.#lives.learn(base, (reply as Reply[]).pop() as string);
    return reply;
  }
}

/** Returns true if a call may be repeated: numbered calls detect a repetition. */
function isRepeatable({ script, args }: ScriptCall): boolean {
  return typeof args === "function" || REPEATABLE.has(script);
}
