import type {
  BroadcastProvider,
  HealthReport,
  Signal,
  SignalScope,
  Unsubscribe,
} from "@taskcast/core/adapter";
import { inTime, notify } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import type { RedisClient } from "./connection/client.ts";
import { BEGINNING } from "./connection/client.ts";
import { Connection } from "./connection/connection.ts";
import { isDenied, wakeRights } from "./denied.ts";
import type { PublishWord } from "./echo.ts";
import { Echo, echoOf, isEcho } from "./echo.ts";
import { Heartbeat } from "./connection/heartbeat.ts";
import { noRedis } from "./connection/no_redis.ts";
import type { Partitions } from "./partitions.ts";
import { channelsOf } from "./partitions.ts";
import { untilReady } from "./connection/until_ready.ts";
import { wrongKind } from "./connection/wrong_kind.ts";

type Listener = (signal: Signal) => void;

/**
 * Milliseconds that subscribing waits for Redis; afterwards the subscription goes live when Redis
 * is back.
 */
const SUBSCRIBE_MS = 2_000;

/** Maximum milliseconds between checks that a subscription still receives messages. */
const HEARTBEAT_MS = 5_000;

/** Milliseconds before a denied channel is tried again. */
const DENIED_MS = 5_000;

/** Wake-ups over Redis pub/sub. Local listeners of the same scope share one subscription. */
export class RedisBroadcast implements BroadcastProvider {
  /** Set once a connection to publish on existed. */
  #hasPublished = false;
  readonly #pub: RedisClient;
  readonly #sub: RedisClient;
  readonly #partitions: Partitions;
  readonly #sharded: boolean;
  readonly #pubConnection: Connection;
  readonly #subConnection: Connection;
  readonly #heartbeat: Heartbeat;
  readonly #timeoutMs: number;
  readonly #maxPending: number;
  readonly #lastError: () => unknown;
  readonly #onClose: () => void;
  readonly #listeners = new Map<string, { ofOne: string | undefined; all: Set<Listener> }>();
  readonly #onMessage = (channel: string, message: string): void => this.#hear(channel, message);
  readonly #onReady = (): void => this.#listenAgain();
  readonly #echo: Echo;
  #wasReady: boolean;
  #publishing = 0;
  #denied?: { error: Error; untilMs: number };

  constructor(
    {
      pub,
      sub,
      partitions,
      sharded,
      timeoutMs,
      silenceMs,
      maxPending,
      lastError = () => undefined,
      publishers = [],
      onClose,
    }: {
      pub: RedisClient;
      sub: RedisClient;
      partitions: Partitions;
      /** Publishes only to the shard of the task. */
      sharded: boolean;
      timeoutMs: number;
      /** Milliseconds of silence after which a connection is replaced. */
      silenceMs: number;
      /** Maximum number of wake-ups waiting to be published. */
      maxPending: number;
      /** Returns why the connection is down, if known. */
      lastError?: () => unknown;
      /** Other ways in which commits are published, besides `pub`. */
      publishers?: readonly PublishWord[];
      onClose: () => void;
    },
  ) {
    this.#pub = pub;
    this.#sub = sub;
    this.#partitions = partitions;
    this.#sharded = sharded;
    this.#pubConnection = new Connection(pub, { silenceMs });
    this.#subConnection = new Connection(sub, { silenceMs, onlyListens: true });
    this.#heartbeat = new Heartbeat({
      everyMs: Math.min(timeoutMs, HEARTBEAT_MS),
      ask: () => this.#checkSubscription(),
    });
    this.#timeoutMs = timeoutMs;
    this.#maxPending = maxPending;
    this.#lastError = lastError;
    this.#onClose = onClose;
    this.#echo = new Echo({
      partitions,
      publishers: [(base, word) => this.#send(base, word, echoOf(word)), ...publishers],
      listen: (channel) => this.#subConnection.answer(this.#subscribe(channel)),
      leave: (channel) => this.#leave(channel),
      onDeaf: () => this.#subConnection.abandon(),
      timeoutMs,
    });
    this.#wasReady = sub.status === "ready";
    sub.on(sharded ? "smessage" : "message", this.#onMessage);
    sub.on("ready", this.#onReady);
  }

  async publish(signal: Signal): Promise<void> {
    const { taskId, from, length, ended } = signal;
    const text = `${from} ${length} ${ended ? 1 : 0} ${taskId}`;
    const base = this.#partitions.of(taskId);
    try {
      if (this.#denied !== undefined && performance.now() < this.#denied.untilMs) {
        throw this.#denied.error;
      }
      await this.#publish(base, taskId, text);
    } catch (error) {
      // Local readers need not wait for a poll.
      for (const channel of channelsOf(base, taskId)) this.#hear(channel, text);
      if (!isDenied(error)) throw error;
      const worded = wakeRights(this.#partitions, error);
      this.#denied = { error: worded, untilMs: performance.now() + DENIED_MS };
      throw worded;
    }
  }

  async #publish(base: string, taskId: string, text: string): Promise<void> {
    const { status } = this.#pub;
    if (status === "ready") this.#hasPublished = true;
    // The client queues commands until its first connection; later, a missing connection is an
    // outage.
    else if (this.#hasPublished || !BEGINNING.has(status)) {
      throw new Error("Redis is not connected; readers get the event at their next poll");
    }
    if (this.#publishing >= this.#maxPending) {
      throw new Error(
        `${this.#maxPending} wake-ups are already waiting; readers get the event at their next poll`,
      );
    }
    this.#publishing++;
    const sending = this.#send(base, taskId, text);
    const onSettled = () => this.#publishing--;
    sending.then(onSettled, onSettled);
    await this.#inTime(sending);
  }

  #send(base: string, name: string, text: string): Promise<unknown> {
    const command = this.#sharded ? "SPUBLISH" : "PUBLISH";
    const channels = channelsOf(base, name);
    return this.#pubConnection.answer(
      Promise.all(channels.map((channel) => this.#pub.call(command, channel, text))),
    );
  }

  async subscribe(scope: SignalScope, onSignal: Listener): Promise<Unsubscribe> {
    const taskId = "taskId" in scope ? scope.taskId : undefined;
    const channels = taskId === undefined
      ? this.#partitions.channelsOfAll
      : [this.#partitions.channelOf(taskId)];
    const listener: Listener = (signal) => onSignal(signal); // The same function may subscribe twice.
    await Promise.all(channels.map((channel) => this.#add(channel, taskId, listener)));
    return () => channels.forEach((channel) => this.#remove(channel, listener));
  }

  async check(): Promise<HealthReport | void> {
    const isDown = this.#sub.status !== "ready" && !BEGINNING.has(this.#sub.status);
    if (isDown) throw this.#notConnected();
    try {
      await this.#inTime(untilReady(this.#sub, () => this.#notConnected()));
      return await this.#echo.check();
    } catch (error) {
      const wrong = wrongKind(error, this.#pub.isCluster === true);
      if (wrong !== undefined) throw wrong;
      // The client's error describes the command's fate, not the cause.
      if (this.#pub.status !== "ready") throw this.#notConnected();
      if (error instanceof TaskcastError) throw error;
      throw new TaskcastError("STORE_UNAVAILABLE", "Redis does not answer for wake-ups", {
        cause: error,
      });
    }
  }

  /** The address may lead to another server now. */
  renew(): void {
    this.#pubConnection.renew();
    this.#subConnection.renew();
  }

  #notConnected(): Error {
    const wrong = wrongKind(this.#lastError(), this.#pub.isCluster === true);
    if (wrong !== undefined) return wrong;
    return new TaskcastError("STORE_UNAVAILABLE", "Redis is not connected for wake-ups", {
      cause: noRedis(this.#lastError()),
    });
  }

  close(): Promise<void> {
    this.#listeners.clear();
    this.#heartbeat.stop();
    this.#pubConnection.close();
    this.#subConnection.close();
    this.#sub.off(this.#sharded ? "smessage" : "message", this.#onMessage);
    this.#sub.off("ready", this.#onReady);
    this.#onClose();
    return Promise.resolve();
  }

  async #add(channel: string, ofOne: string | undefined, listener: Listener): Promise<void> {
    const known = this.#listeners.get(channel);
    if (known === undefined) this.#listeners.set(channel, { ofOne, all: new Set([listener]) });
    else known.all.add(listener);
    this.#heartbeat.start();
    // Subscribes each time, since an earlier caller may still be waiting. Subscribing is
    // idempotent.
    await this.#listen(channel);
  }

  #remove(channel: string, listener: Listener): void {
    const known = this.#listeners.get(channel);
    known?.all.delete(listener);
    if (known === undefined || known.all.size > 0) return;
    this.#listeners.delete(channel);
    if (this.#listeners.size === 0) this.#heartbeat.stop();
    this.#leave(channel);
  }

  #leave(channel: string): void {
    if (this.#listeners.has(channel)) return;
    const stop = this.#sharded ? this.#sub.sunsubscribe(channel) : this.#sub.unsubscribe(channel);
    // A broken connection has no subscriptions either.
    stop.catch(() => {});
  }

  /** Resolves when the subscription is live, or after `SUBSCRIBE_MS`. */
  async #listen(channel: string): Promise<void> {
    try {
      await inTime(this.#subscribe(channel), SUBSCRIBE_MS, () => new Error("not yet"));
    } catch {
      // Readers poll until it is live.
    }
  }

  #subscribe(channel: string): Promise<unknown> {
    return this.#sharded ? this.#sub.ssubscribe(channel) : this.#sub.subscribe(channel);
  }

  /**
   * Checks that the connection is alive: a listener alone cannot tell a dead connection from a
   * quiet one. Subscribes again to one channel at a time, which changes nothing. On a cluster a
   * PING would use another connection.
   */
  async #checkSubscription(): Promise<void> {
    const [next] = this.#listeners;
    if (next === undefined || this.#sub.status !== "ready") return;
    const [channel, known] = next;
    this.#listeners.delete(channel);
    this.#listeners.set(channel, known); // Moves it to the end.
    await this.#subConnection.answer(this.#subscribe(channel));
    // A node removed from its cluster still replies but receives no messages.
    if (this.#sub.isCluster) await this.#echo.check();
  }

  async #inTime(answer: Promise<unknown>): Promise<void> {
    const late = () => new Error(`Redis did not answer within ${this.#timeoutMs} ms`);
    await inTime(answer, this.#timeoutMs, late);
  }

  /**
   * Subscribes again on a new connection and wakes all listeners, since signals may have been
   * missed.
   */
  #listenAgain(): void {
    const isFirst = !this.#wasReady;
    this.#wasReady = true;
    if (isFirst) return;
    for (const [channel, { ofOne, all }] of this.#listeners) {
      void this.#listen(channel).then(() => {
        if (ofOne === undefined) return; // Readers of all tasks poll the tasks they know.
        for (const listener of all) {
          notify(listener, { taskId: ofOne, from: Infinity, length: Infinity });
        }
      });
    }
  }

  #hear(channel: string, message: string): void {
    if (isEcho(message)) return this.#echo.hear(channel, message);
    const known = this.#listeners.get(channel);
    if (known === undefined) return;
    const [from, length, ended, taskId] = message.split(" ");
    const signal: Signal = {
      taskId: taskId!,
      from: Number(from),
      length: Number(length),
      ...(ended === "1" && { ended: true }),
    };
    for (const listener of known.all) notify(listener, signal);
  }
}
