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
import { inTime } from "../connection/in_time.ts";
import { Lane } from "./lane.ts";
import { Lives } from "./lives.ts";
import type { Partitions } from "../partitions.ts";
import { released } from "./free_pipeline.ts";
import { MissingRights } from "../rights.ts";
import type { ScriptArgs, ScriptCall, ScriptName } from "./script_call.ts";
import { ScriptSender } from "./script_sender.ts";
import { unavailable } from "../connection/unavailable.ts";
import { wrongKind } from "../connection/wrong_kind.ts";

/** Calls that are sent before their turn is over, at most. */
const MAX_GROUP = 16;

/**
 * Runs scripts on partitions.
 *
 * What is asked for in one turn is sent in a few groups; each answer is waited for only so long,
 * and nothing is sent while the connection is known to be down. A partition whose data was lost or
 * replaced since it was first seen is refused from then on: an empty log would look like the truth.
 */
export class ScriptRunner {
  readonly #client: RedisClient;
  readonly #connection: Connection;
  readonly #partitions: Partitions;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #maxPending: number;
  readonly #lastError: () => unknown;
  readonly #lives: Lives;
  readonly #nodes: ClusterNodes;
  readonly #sender: ScriptSender;
  readonly #lanes = new Map<string, Lane>();
  #waiting: ScriptCall[] = [];
  #calls = 0;
  #pending = 0;
  /** Calls that wait until it is known whether any may be sent. */
  #unadmitted = 0;
  #wasReady = false;
  #closed = false;
  readonly #admission: Admission;

  constructor(
    client: RedisClient,
    partitions: Partitions,
    { connection, timeoutMs, maxPending, lastError = () => undefined }: {
      /** Told of what the client is asked and answered. */
      connection: Connection;
      timeoutMs: number;
      maxPending: number;
      /** Why the connection is down, if that is known. */
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
    const lives = this.#lives = new Lives(partitions.bases.length);
    const nodes = this.#nodes = new ClusterNodes(client);
    this.#sender = new ScriptSender(client, { connection, nodes, lives });
    this.#admission = new Admission(client, partitions, (ask, base) => {
      const refusal = this.#refusal();
      return refusal === undefined
        ? this.#inTime(connection.answer(ask(), base))
        : Promise.reject(refusal);
    });
  }

  /** Runs a script. Without the partition's life at the end of the answer. */
  async run(base: string, script: ScriptName, args: ScriptArgs): Promise<readonly Reply[]> {
    // The same promise for all, so that calls stay in their order.
    const admitted = this.#admission.of(base);
    if (this.#admission.isKnown(base)) await admitted;
    else await this.#waitFor(admitted);
    if (this.#lives.lost > 0 && this.#lives.isLost(base)) await this.#findAgain(base);
    return await this.#call(base, script, args);
  }

  /**
   * Has it that data which was known by these words is lost: whoever knew it by them goes on with
   * what is there, in this process and in others.
   *
   * @returns In how many partitions it was lost; where it is still there nothing changes.
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

  async #findAgain(base: string): Promise<void> {
    await this.#lives.look(base, async (base, known) => {
      const [accepted, word] = await this.#call(base, "find_life", [known]);
      return { accepted: accepted === 1, word: word as string };
    });
    if (this.#lives.isLost(base)) throw this.#lives.error;
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
        // Also when nobody waits for it any more: until it is answered or its connection breaks,
        // the client still holds the request, and it may be carried out.
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
   * How many calls are worth sending before their turn is over: a quarter of those under way, so
   * that Redis works on some while others are made. When they were sent all together, each side
   * waited for the other: 23 000 publishes a second by 8 at a time instead of 46 000, by 32 at a
   * time 37 000 instead of 60 000.
   */
  #groupSize(): number {
    if (this.#client.isCluster) return Infinity; // There they are grouped by partition.
    return Math.min(this.#pending / 4, MAX_GROUP);
  }

  /**
   * Asks Redis itself, where a script would only pass on what is there: one command after the
   * other, all on keys of one partition. What others do may come between them.
   */
  async ask(base: string, ...commands: [command: string, ...args: string[]][]): Promise<Reply[]> {
    this.#assertUsable();
    const pipeline = this.#client.pipeline();
    for (const command of commands) pipeline.call(...command);
    const replies = released(
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

  /** Looks whether tasks of a partition can be changed and read. Rejects if not for another reason. */
  async probe(base: string): Promise<"usable" | "moving" | "lost"> {
    try {
      if (this.#isMoving(base)) this.#laneOf(base).look();
      else await this.run(base, "check", []);
    } catch (error) {
      if (!this.#isMoving(base) && !this.#lives.isLost(base)) throw error;
    }
    if (this.#isMoving(base)) return "moving";
    return this.#lives.isLost(base) ? "lost" : "usable";
  }

  /** Loss and remedy. */
  get lossMessage(): string {
    return this.#lives.message;
  }

  /** Waits for something that the client was asked, for as long as for everything. */
  async answer<T>(answer: Promise<T>): Promise<T> {
    return await this.#inTime(this.#connection.answer(answer));
  }

  #isMoving(base: string): boolean {
    return this.#client.isCluster === true && isBeingMoved(this.#laneOf(base).obstacle?.cause);
  }

  /** It sends nothing any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends nothing any more. */
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
    return unavailable(`${this.#maxPending} requests wait for it already`);
  }

  /** Why nothing can be sent now, if so. */
  #refusal(): TaskcastError | undefined {
    const { status } = this.#client;
    if (status === "ready") this.#wasReady = true;
    if (this.#closed) return unavailable("the store is closed");
    const isBeginning = !this.#wasReady && BEGINNING.has(status);
    if (status === "ready" || isBeginning) return undefined;
    return unavailable("it is not connected", noRedis(this.#lastError()));
  }

  /** Nobody waits for what was in the way for as long as an answer may take. */
  #assertReachable(base: string): void {
    const lane = this.#laneOf(base);
    const { obstacle } = lane;
    if (obstacle === undefined || performance.now() < obstacle.sinceMs + this.#timeoutMs) return;
    lane.look();
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

  /** Sends what waits: on a cluster together only what is for one partition. */
  #flush(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.#waiting;
    this.#waiting = [];
    if (!this.#client.isCluster) return this.#laneOf("").send(calls);
    for (const [base, group] of Map.groupBy(calls, ({ base }) => base)) {
      this.#laneOf(base).send(group);
    }
  }

  /** The calls that keep their order: no node of a cluster should wait for all others. */
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
    this.#lives.lose(base);
    return this.#lives.error;
  }

  #worded(error: unknown): TaskcastError {
    if (error instanceof TaskcastError) return error;
    const message = error instanceof Error ? error.message : String(error);
    const damaged = damagedError(message);
    if (damaged !== undefined) return damaged;
    if (isDenied(error)) {
      // Rights were taken away. Nothing is sent until they are whole again.
      this.#admission.doubt();
      return new MissingRights(this.#partitions.prefix);
    }
    if (message.startsWith("OOM")) {
      return new TaskcastError("STORE_FULL", "Redis has no memory left", { cause: error });
    }
    if (this.#connection.heed(error)) {
      return unavailable("this server takes no changes now; it is a replica, or loads", error);
    }
    const isDown = this.#client.status !== "ready";
    const why = isDown ? this.#lastError() ?? error : error;
    const wrong = wrongKind(why, this.#client.isCluster === true);
    if (wrong !== undefined) return wrong;
    const cause = isDown ? noRedis(why) : error;
    return unavailable("it answered with an error, or not at all", cause);
  }
}
