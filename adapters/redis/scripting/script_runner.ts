import { inTime } from "@taskcast/core/adapter";
import { setImmediate } from "node:timers";
import { TaskcastError } from "@taskcast/core/protocol";
import { Admission } from "./admission.ts";
import type { RedisClient, Reply } from "../connection/client.ts";
import { BEGINNING } from "../connection/client.ts";
import { ClusterNodes, isBeingMoved } from "../connection/cluster_nodes.ts";
import type { Connection } from "../connection/connection.ts";
import { damagedError } from "./damaged.ts";
import { isDenied } from "../denied.ts";
import { noRedis } from "../connection/no_redis.ts";
import { Deadlines } from "../connection/deadlines.ts";
import { Lane } from "./lane.ts";
import { Generations } from "./generations.ts";
import type { Partitions } from "../partitions.ts";
import { freePipeline } from "./free_pipeline.ts";
import { MissingRights } from "../rights.ts";
import type { ScriptArgs, ScriptCall, ScriptName } from "./script_call.ts";
import { ScriptSender } from "./script_sender.ts";
import { unavailable } from "../connection/unavailable.ts";
import { wrongKind } from "../connection/wrong_kind.ts";

/** Maximum number of calls sent before the current turn ends. */
const MAX_GROUP = 16;

/**
 * Runs scripts on partitions.
 *
 * Calls of one turn are sent in a few groups. Replies have a time limit, and nothing is sent while
 * the connection is known to be down. A partition whose data was lost or replaced since it was
 * first seen is refused: an empty log would look like the truth.
 */
export class ScriptRunner {
  readonly #client: RedisClient;
  readonly #connection: Connection;
  readonly #partitions: Partitions;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #maxPending: number;
  readonly #lastError: () => unknown;
  readonly #generations: Generations;
  readonly #nodes: ClusterNodes;
  readonly #sender: ScriptSender;
  readonly #lanes = new Map<string, Lane>();
  #waiting: ScriptCall[] = [];
  #calls = 0;
  #pending = 0;
  /** Calls that wait for the admission check. */
  #unadmitted = 0;
  #wasReady = false;
  #closed = false;
  readonly #admission: Admission;

  constructor(
    client: RedisClient,
    partitions: Partitions,
    { connection, timeoutMs, maxPending, lastError = () => undefined }: {
      /** Watches requests and replies of the client. */
      connection: Connection;
      timeoutMs: number;
      maxPending: number;
      /** Returns why the connection is down, if known. */
      lastError?: () => unknown;
    },
  ) {
    this.#lastError = lastError;
    this.#client = client;
    this.#connection = connection;
    this.#partitions = partitions;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new Deadlines(timeoutMs);
    this.#maxPending = maxPending;
    const generations = this.#generations = new Generations(partitions.bases.length);
    const nodes = this.#nodes = new ClusterNodes(client);
    this.#sender = new ScriptSender(client, { connection, nodes, generations });
    this.#admission = new Admission(client, partitions, (ask, base) => {
      const refusal = this.#refusal();
      return refusal === undefined
        ? this.#inTime(connection.answer(ask(), base))
        : Promise.reject(refusal);
    });
  }

  /** Runs a script. Returns its reply without the generation at the end. */
  async run(base: string, script: ScriptName, args: ScriptArgs): Promise<readonly Reply[]> {
    // All callers share one promise, so calls stay in order.
    const admitted = this.#admission.of(base);
    if (this.#admission.isKnown(base)) await admitted;
    else await this.#waitFor(admitted);
    if (this.#generations.lostCount > 0 && this.#generations.isLost(base)) {
      await this.#assertNotLost(base);
    }
    return await this.#call(base, script, args);
  }

  /**
   * Accepts the loss of the generations with these words, so that this process and others continue
   * with what is there.
   *
   * @returns The number of partitions that lost the data; partitions that still have it do not
   *   change.
   */
  async acceptLoss(words: readonly string[]): Promise<number> {
    const values = [String(Date.now()), ...words];
    const { bases } = this.#partitions;
    await Promise.all(bases.map((base) => this.#admission.of(base)));
    const replies = await Promise.all(bases.map((base) => this.#call(base, "accept_loss", values)));
    return replies.filter(([lost]) => lost !== 0).length;
  }

  async #waitFor(admitted: Promise<void>): Promise<void> {
    if (this.#unadmitted >= this.#maxPending) throw this.#tooMany();
    this.#unadmitted++;
    try {
      await admitted;
    } finally {
      this.#unadmitted--;
    }
  }

  async #assertNotLost(base: string): Promise<void> {
    await this.#generations.recheck(base, async (base, known) => {
      const [accepted, word] = await this.#call(base, "find_generation", [known]);
      return { accepted: accepted === 1, word: word as string };
    });
    if (this.#generations.isLost(base)) throw this.#generations.error;
  }

  async #call(base: string, script: ScriptName, args: ScriptArgs): Promise<readonly Reply[]> {
    this.#assertUsable();
    if (this.#client.isCluster) this.#assertReachable(base);
    this.#pending++;
    return await new Promise((resolve, reject) => {
      const heard = this.#deadlines.expect(() => {
        call.isLate = true;
        reject(this.#late(base));
      });
      const call: ScriptCall = {
        base,
        script,
        args,
        order: ++this.#calls,
        mayBeDone: false,
        isLate: false,
        // A call whose caller timed out counts, too: until it is answered or its connection breaks,
        // the client holds the request, and Redis may run it.
        resolve: (reply) => {
          this.#pending--;
          heard();
          resolve(reply);
        },
        reject: (error) => {
          this.#pending--;
          heard();
          reject(this.#wordedOf(base, error));
        },
      };
      const waiting = this.#waiting.push(call);
      if (waiting === 1) setImmediate(() => this.#flush());
      else if (waiting >= this.#groupSize()) this.#flush();
    });
  }

  /**
   * Returns how many calls are worth sending before the turn ends: a quarter of the pending ones,
   * so that Redis processes some while others are being made. When all were sent together, each
   * side waited for the other: with 8 concurrent publishes 23,000 a second instead of 46,000, with
   * 32 concurrent ones 37,000 instead of 60,000.
   */
  #groupSize(): number {
    if (this.#client.isCluster) return Infinity; // On a cluster, calls are grouped by partition.
    return Math.min(this.#pending / 4, MAX_GROUP);
  }

  /**
   * Sends plain commands on keys of one partition, where a script would only pass on values. Other
   * clients' commands may run in between.
   */
  async ask(base: string, ...commands: [command: string, ...args: string[]][]): Promise<Reply[]> {
    this.#assertUsable();
    const pipeline = this.#client.pipeline();
    for (const command of commands) pipeline.call(...command);
    const replies = freePipeline(
      pipeline,
      await this.#inTime(this.#connection.answer(pipeline.exec(), base)),
    );
    return commands.map((_, i) => {
      const [error, reply] = replies[i] ?? [unavailable("the connection broke"), null];
      if (error !== null) throw this.#worded(error);
      return reply as Reply;
    });
  }

  /** Runs a script on every partition. */
  async runOnAll(script: ScriptName, args: readonly string[]): Promise<(readonly Reply[])[]> {
    return await Promise.all(
      this.#partitions.bases.map((base) => this.run(base, script, args)),
    );
  }

  /**
   * Checks whether tasks of a partition can be read and changed. Rejects if not, for any reason but
   * these.
   */
  async probe(base: string): Promise<"usable" | "moving" | "lost"> {
    try {
      if (this.#isMoving(base)) this.#laneOf(base).recheckSlot();
      else await this.run(base, "check", []);
    } catch (error) {
      if (!this.#isMoving(base) && !this.#generations.isLost(base)) throw error;
    }
    if (this.#isMoving(base)) return "moving";
    return this.#generations.isLost(base) ? "lost" : "usable";
  }

  /** The lost data and the remedy. */
  get lossMessage(): string {
    return this.#generations.message;
  }

  /** Waits for a reply of the client, with the usual time limit. */
  async answer<T>(answer: Promise<T>): Promise<T> {
    return await this.#inTime(this.#connection.answer(answer));
  }

  #isMoving(base: string): boolean {
    return this.#client.isCluster === true && isBeingMoved(this.#laneOf(base).obstacle?.cause);
  }

  /** Set after `close()`. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Refuses all further calls. */
  close(): void {
    this.#closed = true;
    this.#admission.close();
    for (const lane of this.#lanes.values()) lane.close();
    this.#connection.close();
  }

  #assertUsable(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    if (this.#pending >= this.#maxPending) throw this.#tooMany();
  }

  #tooMany(): TaskcastError {
    return unavailable(`${this.#maxPending} requests are already waiting for it`);
  }

  /** Returns why nothing can be sent now, if so. */
  #refusal(): TaskcastError | undefined {
    const { status } = this.#client;
    if (status === "ready") this.#wasReady = true;
    if (this.#closed) return unavailable("the store is closed");
    const isBeginning = !this.#wasReady && BEGINNING.has(status);
    if (status === "ready" || isBeginning) return undefined;
    return unavailable("it is not connected", noRedis(this.#lastError()));
  }

  /**
   * Throws if the slot has been unavailable for as long as a reply may take; waiting again is
   * futile.
   */
  #assertReachable(base: string): void {
    const lane = this.#laneOf(base);
    const { obstacle } = lane;
    if (obstacle === undefined || performance.now() < obstacle.sinceMs + this.#timeoutMs) return;
    lane.recheckSlot();
    throw this.#late(base);
  }

  #late(base?: string): TaskcastError {
    const obstacle = base === undefined ? undefined : this.#laneOf(base).obstacle;
    if (obstacle === undefined) return unavailable(`no answer within ${this.#timeoutMs} ms`);
    const { cause } = obstacle;
    if (isBeingMoved(cause)) return unavailable("the slot of the task is being moved", cause);
    return unavailable("no node of the cluster serves the slot of the task", cause);
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    this.#pending++;
    const onSettled = () => this.#pending--;
    answer.then(onSettled, onSettled);
    try {
      return await inTime(answer, this.#timeoutMs, () => this.#late());
    } catch (error) {
      throw this.#worded(error);
    }
  }

  /** Sends the waiting calls; on a cluster, grouped by partition. */
  #flush(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.#waiting;
    this.#waiting = [];
    if (!this.#client.isCluster) return this.#laneOf("").send(calls);
    for (const [base, group] of Map.groupBy(calls, ({ base }) => base)) {
      this.#laneOf(base).send(group);
    }
  }

  /**
   * Returns the lane of a partition. On a cluster each has its own, so that no node waits for the
   * others.
   */
  #laneOf(base: string): Lane {
    const name = this.#client.isCluster ? base : "";
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane({
        send: (calls, by) => this.#sender.send(calls, by),
        refusal: (call) => call.isLate ? this.#late(base) : this.#refusal(),
        findSlot: () => this.#connection.answer(this.#nodes.assertWhole(base), base),
      });
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #wordedOf(base: string, error: unknown): TaskcastError {
    if (!(error instanceof Error && error.message.startsWith("TASKCAST_LOST"))) {
      return this.#worded(error);
    }
    this.#generations.markLost(base);
    return this.#generations.error;
  }

  #worded(error: unknown): TaskcastError {
    if (error instanceof TaskcastError) return error;
    const message = error instanceof Error ? error.message : String(error);
    const damaged = damagedError(message);
    if (damaged !== undefined) return damaged;
    if (isDenied(error)) {
      // Rights were revoked. Nothing is sent until they are restored.
      this.#admission.invalidate();
      return new MissingRights(this.#partitions.prefix);
    }
    if (message.startsWith("OOM")) {
      return new TaskcastError("STORE_FULL", "Redis is out of memory", { cause: error });
    }
    if (this.#connection.renewIfNotMaster(error)) {
      return unavailable(
        "this server accepts no writes now: it is a replica or is still loading",
        error,
      );
    }
    const isDown = this.#client.status !== "ready";
    const why = isDown ? this.#lastError() ?? error : error;
    const wrong = wrongKind(why, this.#client.isCluster === true);
    if (wrong !== undefined) return wrong;
    const cause = isDown ? noRedis(why) : error;
    return unavailable("it answered with an error, or not at all", cause);
  }
}
