import { inTime } from "@taskcast/core/adapter";
import type { RedisClient, RedisNode } from "./client.ts";
import { Silence } from "./silence.ts";

/** Milliseconds between replacements of a connection because of what the server replied. */
const RENEW_EVERY_MS = 1_000;

/** States in which there is a connection to close; in other states, one is already being made. */
const IS_OPEN: ReadonlySet<string> = new Set(["connect", "ready"]);

/**
 * Closes open but unusable connections, so that the client opens new ones. A connection is unusable
 * if it is silent, since packets may vanish without an error, or if its server is not the master,
 * since the address may lead to another server now.
 */
export class Connection {
  readonly #client: RedisClient;
  readonly #silenceMs: number;
  readonly #onlyListens: boolean;
  readonly #onRenew: () => void;
  /** One per cluster node as far as known, since replies of one say nothing about another. */
  readonly #silences = new Map<string, Silence>();
  /** Callbacks for pending replies, called when the connection breaks. */
  readonly #due = new Set<() => void>();
  readonly #abandoned = new WeakSet<RedisNode>();
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #isLeaving = false;
  #breaks = 0;
  #joins = 0;
  #renewedAtMs = -Infinity;
  #isAskingNodes = false;
  #onBegun: (() => void) | undefined;

  constructor(
    client: RedisClient,
    { silenceMs, onlyListens = false, onRenew = () => {} }: {
      /** Maximum milliseconds of silence while a reply is due. */
      silenceMs: number;
      /**
       * Set if the client only listens; on a cluster, such connections are not among those of the
       * nodes.
       */
      onlyListens?: boolean;
      /** Called when a server says that it is not the master. */
      onRenew?: () => void;
    },
  ) {
    this.#client = client;
    this.#silenceMs = silenceMs;
    this.#onlyListens = onlyListens;
    this.#onRenew = onRenew;
    client.on("connect", this.#onConnect);
    client.on("ready", this.#onReady);
    client.on("close", this.#onBreak);
    client.on("+node", this.#onJoin);
  }

  /** Increases whenever the next request may reach another or a restarted server. */
  get interruptions(): number {
    return this.#breaks + this.#joins;
  }

  /**
   * Increases with each broken connection: the client may have resent earlier commands. On a
   * cluster it says nothing about connections to single nodes.
   */
  get breaks(): number {
    return this.#breaks;
  }

  /**
   * Registers a pending reply.
   *
   * @param part On a cluster: the partition that was asked about, which is on one node.
   * @returns The reply; rejects when it can no longer arrive.
   */
  answer<T>(answer: Promise<T>, part: string = ""): Promise<T> {
    if (this.#isClosed) return answer;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onBreak = () => reject(new Error("The connection broke"));
    this.#due.add(onBreak);
    const onSettled = () => this.#due.delete(onBreak);
    answer.then(resolve, reject).then(onSettled);
    this.#silenceOf(part).expect(promise);
    return promise;
  }

  /**
   * Replaces the connection if an error says that this server is not the one to ask.
   *
   * @returns Whether the error says so.
   */
  renewIfNotMaster(error: unknown): boolean {
    const message = error instanceof Error ? error.message : String(error);
    // Redis 6 prefixes errors of commands inside scripts.
    const isOther = /^(READONLY|LOADING|MASTERDOWN) |-READONLY /.test(message);
    if (isOther) this.renew();
    return isOther;
  }

  /** Replaces the connection, at most once a second. */
  renew(): void {
    // A cluster client asks its nodes for the current masters by itself.
    if (this.#client.isCluster) return;
    const nowMs = performance.now();
    if (nowMs < this.#renewedAtMs + RENEW_EVERY_MS) return;
    this.#renewedAtMs = nowMs;
    this.#leave();
    this.#onRenew();
  }

  /** Closes this unusable connection; the client reconnects. */
  abandon(): void {
    this.#leave();
  }

  /** Stops watching. */
  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#client.off("connect", this.#onConnect);
    this.#client.off("ready", this.#onReady);
    this.#client.off("close", this.#onBreak);
    this.#client.off("+node", this.#onJoin);
    for (const silence of this.#silences.values()) silence.close();
  }

  #silenceOf(part: string): Silence {
    const key = this.#client.isCluster ? part : "";
    let silence = this.#silences.get(key);
    if (silence === undefined) {
      silence = new Silence({ limitMs: this.#silenceMs, onSilence: () => this.#onSilence() });
      this.#silences.set(key, silence);
    }
    return silence;
  }

  /**
   * Expects a first reply: the client queries the server on connecting, and does not notice when no
   * reply comes. A server that loads for long is reconnected to several times, which is harmless.
   */
  readonly #onConnect = (): void => {
    this.#onReady();
    const begun = new Promise<void>((resolve) => this.#onBegun = resolve);
    this.#silenceOf("").expect(begun);
  };

  readonly #onReady = (): void => this.#onBegun?.();

  /** Counts new connections to cluster nodes. */
  readonly #onJoin = (): void => void this.#joins++;

  readonly #onBreak = (): void => {
    this.#breaks++;
    this.#isLeaving = false;
    this.#onReady();
    // Clients that resend nothing may silently drop pending replies.
    const options = this.#client.options as { autoResendUnfulfilledCommands?: boolean } | undefined;
    if (options?.autoResendUnfulfilledCommands !== false) return;
    for (const onBreak of this.#due) onBreak();
    this.#due.clear();
  };

  #onSilence(): void {
    if (this.#client.isCluster && !this.#onlyListens) void this.#leaveSilentNodes();
    else this.#leave();
  }

  #leave(): void {
    // A silent server does not confirm the close either, which then takes a while.
    if (this.#isClosed || this.#isLeaving || !IS_OPEN.has(this.#client.status)) return;
    this.#isLeaving = true;
    this.#client.disconnect(true);
  }

  /** Closes only silent connections: replies of other nodes are on their way. */
  async #leaveSilentNodes(): Promise<void> {
    if (this.#isAskingNodes) return;
    this.#isAskingNodes = true;
    const nodes = (this.#client.nodes?.() ?? []).filter((node) => !this.#abandoned.has(node));
    await Promise.all(nodes.map(async (node) => {
      const answer = Promise.race([node.call("PING"), this.#closed.promise]);
      try {
        await inTime(answer, this.#silenceMs / 2, () => new Error("silent"));
      } catch {
        if (!IS_OPEN.has(node.status)) return;
        this.#abandoned.add(node);
        node.disconnect();
      }
    }));
    this.#isAskingNodes = false;
  }
}
