import { createHash } from "node:crypto";
import { setImmediate } from "node:timers";
import { TaskcastError } from "@taskcast/core/protocol";
import { SCRIPTS } from "./_generated_scripts.ts";
import type { RedisClient, Reply } from "./client.ts";
import { BEGINNING } from "./client.ts";
import type { Connection } from "./connection.ts";
import { assertKeepsData } from "./eviction.ts";
import { assertDatabase } from "./database.ts";
import { noRedis } from "./no_redis.ts";
import { Deadlines } from "./deadlines.ts";
import { inTime } from "./in_time.ts";
import type { Partitions } from "./partitions.ts";
import type { Answer } from "./released.ts";
import { released } from "./released.ts";

/** A script. */
export type ScriptName = keyof typeof SCRIPTS;

/**
 * Scripts that change one task's log. A server has to know all of them or none: where it knows one
 * only, a change that is sent again by its text falls behind those that were asked for after it.
 */
const COMMIT_SCRIPTS = ["publish", "commit"] as const;

/** Calls that are sent before their turn is over, at most. */
const MAX_GROUP = 16;

/**
 * What a script is called with: texts, or what makes them when it is sent. A call that is sent again is
 * made anew, but where it may have been carried out: then it is the same.
 */
export type ScriptArgs = readonly string[] | (() => readonly string[]);

interface Call {
  base: string;
  script: ScriptName;
  args: ScriptArgs;
  /** What it was sent with, unless it is known that this was not carried out. */
  sentWith?: readonly string[];
  /** Its time is over, and who asked has been told so. */
  isLate: boolean;
  resolve(reply: readonly Reply[]): void;
  reject(error: unknown): void;
}

const HASHES = new Map(
  Object.entries(SCRIPTS).map(([name, lua]) => [
    name,
    createHash("sha1").update(lua).digest("hex"),
  ]),
);

/**
 * Runs scripts on partitions.
 *
 * What is asked for in one turn is sent in a few groups; each answer is waited for only so long, and
 * nothing is sent while the connection is known to be down. A partition whose data was lost or
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
  /** The life of each partition, once it is known. */
  readonly #lives = new Map<string, string>();
  readonly #newLife: string = crypto.randomUUID().slice(0, 8);
  #waiting: Call[] = [];
  /** Groups of calls that are not settled. */
  #underWay = 0;
  /**
   * Some are sent again, since the server had forgotten the scripts. Until all that was sent before is
   * settled no other call is sent, or it would be carried out before what was asked for earlier.
   */
  #isHeld = false;
  #pending = 0;
  #wasReady = false;
  #lost = false;
  #closed = false;
  #agreed?: Promise<void>;
  #keepsData = false;

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
  }

  /** Runs a script. Without the partition's life at the end of the answer. */
  async run(base: string, script: ScriptName, args: ScriptArgs): Promise<readonly Reply[]> {
    if (this.#agreed === undefined) {
      const agreed = this.#agree();
      this.#agreed = agreed;
      agreed.catch(() => this.#agreed = undefined);
    }
    await this.#agreed;
    this.#assertUsable();
    this.#pending++;
    return await new Promise((resolve, reject) => {
      const heard = this.#deadlines.expect(() => {
        call.isLate = true;
        reject(this.#late());
      });
      const call: Call = {
        base,
        script,
        args,
        isLate: false,
        // Also when nobody waits for it any more: until it is answered or its connection breaks, the
        // client still holds the request, and it may be carried out.
        resolve: (reply) => {
          this.#pending--;
          heard();
          resolve(reply);
        },
        reject: (error) => {
          this.#pending--;
          heard();
          reject(this.#worded(error));
        },
      };
      const waiting = this.#waiting.push(call);
      if (waiting === 1) setImmediate(() => this.#flush());
      else if (waiting >= this.#groupSize()) this.#flush();
    });
  }

  /**
   * How many calls are worth sending before their turn is over: a quarter of those under way, so that
   * Redis works on some while others are made. When they were sent all together, each side waited for
   * the other: 23 000 publishes a second by 8 at a time instead of 46 000, by 32 at a time 37 000
   * instead of 60 000.
   */
  #groupSize(): number {
    if (this.#client.isCluster) return Infinity; // There they are grouped by partition.
    return Math.min(this.#pending / 4, MAX_GROUP);
  }

  /**
   * Asks Redis itself, where a script would only pass on what is there: one command after the other,
   * all on keys of one partition. What others do may come between them.
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

  /** Rejects when tasks cannot be changed and read at the moment. */
  async check(): Promise<void> {
    await this.runOnAll("check", []);
    if (this.#keepsData) return;
    await this.#inTime(this.#connection.answer(assertKeepsData(this.#client)));
    this.#keepsData = true;
  }

  /** It sends nothing any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends nothing any more. */
  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  #assertUsable(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    if (this.#pending >= this.#maxPending) {
      throw unavailable(`${this.#maxPending} requests wait for it already`);
    }
  }

  /** Why nothing can be sent now, if so. */
  #refusal(): TaskcastError | undefined {
    const { status } = this.#client;
    if (status === "ready") this.#wasReady = true;
    if (this.#closed) return unavailable("the store is closed");
    if (this.#lost) return lost();
    const isBeginning = !this.#wasReady && BEGINNING.has(status);
    if (status === "ready" || isBeginning) return undefined;
    return unavailable("it is not connected", noRedis(this.#lastError()));
  }

  #late(): TaskcastError {
    return unavailable(`no answer within ${this.#timeoutMs} ms`);
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
    if (this.#isHeld || this.#waiting.length === 0) return;
    const calls = this.#waiting;
    this.#waiting = [];
    if (!this.#client.isCluster) return void this.#send(calls, "evalsha");
    for (const group of Map.groupBy(calls, ({ base }) => base).values()) {
      void this.#send(group, "evalsha");
    }
  }

  async #send(calls: readonly Call[], by: "evalsha" | "eval"): Promise<void> {
    this.#underWay++;
    try {
      const unknown = await this.#settle(calls, by);
      if (unknown.length === 0) return;
      // Groups of a cluster are of one partition each, and no node should wait for all others.
      if (!this.#client.isCluster) this.#isHeld = true;
      await this.#send(unknown, "eval");
    } finally {
      if (--this.#underWay === 0) this.#letGo();
    }
  }

  /** Sends what was held, if it is still wanted. */
  #letGo(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const held = this.#waiting;
    this.#waiting = [];
    for (const call of held) {
      const refusal = call.isLate ? this.#late() : this.#refusal();
      if (refusal === undefined) this.#waiting.push(call);
      else call.reject(refusal);
    }
    this.#flush();
  }

  /** Sends calls and settles them, but for those whose scripts the server does not know. */
  async #settle(calls: readonly Call[], by: "evalsha" | "eval"): Promise<Call[]> {
    const unknown: Call[] = [];
    const { breaks } = this.#connection;
    let replies: Answer[];
    try {
      const pipeline = this.#client.pipeline();
      const loads = by === "eval" ? COMMIT_SCRIPTS : [];
      for (const name of loads) pipeline.script("LOAD", SCRIPTS[name]);
      for (const call of calls) {
        const { base, script, args } = call;
        const life = this.#lives.get(base) ?? "";
        const values = call.sentWith ??= typeof args === "function" ? args() : args;
        const code = by === "eval" ? SCRIPTS[script] : HASHES.get(script)!;
        pipeline[by](code, 1, base, life, this.#newLife, ...values);
      }
      const answers = await this.#connection.answer(pipeline.exec(), calls[0]!.base);
      // Who may not load scripts can do without: that costs the order of changes only.
      replies = released(pipeline, answers).slice(loads.length);
    } catch (error) {
      for (const { reject } of calls) reject(error);
      return unknown;
    }
    // Nothing here throws: each call is settled once, and counts as pending until it is.
    for (const [i, call] of calls.entries()) {
      const [error, reply] = replies[i] ?? [unavailable("the connection broke"), null];
      if (error !== null) {
        if (by === "evalsha" && error.message.startsWith("NOSCRIPT")) {
          // A client sends again what had no answer when its connection broke: then this is what the
          // second request was answered, and the first may have been carried out.
          const isUnsure = this.#client.isCluster || this.#connection.breaks !== breaks;
          if (!isUnsure) call.sentWith = undefined;
          unknown.push(call);
        } else call.reject(error);
      } else if (Array.isArray(reply)) call.resolve(this.#withoutLife(call.base, reply));
      else call.reject(unavailable("it answered a script with something else than a list"));
    }
    return unknown;
  }

  #withoutLife(base: string, reply: readonly Reply[]): readonly Reply[] {
    const life = (reply as Reply[]).pop() as string;
    if (!this.#lives.has(base)) this.#lives.set(base, life);
    return reply;
  }

  /** Another number of partitions would look for tasks where they are not. */
  async #agree(): Promise<void> {
    this.#assertUsable();
    const { countKey, bases } = this.#partitions;
    const count = String(bases.length);
    const asking = (async () => {
      await assertDatabase(this.#client);
      await this.#client.call("SET", countKey, count, "NX");
      return await this.#client.call("GET", countKey);
    })();
    const found = await this.#inTime(this.#connection.answer(asking, bases[0]));
    if (found !== count) {
      throw unavailable(`its data has ${found} partitions, and ${count} are configured`);
    }
  }

  #worded(error: unknown): TaskcastError {
    if (error instanceof TaskcastError) return error;
    const message = error instanceof Error ? error.message : String(error);
    if (message.startsWith("TASKCAST_LOST")) {
      this.#lost = true;
      return lost();
    }
    if (message.startsWith("OOM")) {
      return new TaskcastError("STORE_FULL", "Redis has no memory left", { cause: error });
    }
    if (this.#connection.heed(error)) {
      return unavailable("this server takes no changes now; it is a replica, or loads", error);
    }
    const isDown = this.#client.status !== "ready";
    const cause = isDown ? noRedis(this.#lastError() ?? error) : error;
    return unavailable("it answered with an error, or not at all", cause);
  }
}

function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `Redis cannot be used: ${why}`, { cause });
}

function lost(): TaskcastError {
  return unavailable(
    "its data was lost or replaced while this process ran; restore it, or restart all instances " +
      "to begin anew",
  );
}
