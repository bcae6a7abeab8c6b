import type { RedisClient, RedisNode } from "./client.ts";
import { inTime } from "./in_time.ts";
import { Silence } from "./silence.ts";

/** Milliseconds between two connections that are given up for what the server answered. */
const RENEW_EVERY_MS = 1_000;

/** States in which there is a connection to give up; in others one is being made already. */
const IS_OPEN: ReadonlySet<string> = new Set(["connect", "ready"]);

/**
 * Gives connections up that are open and of no use, so that the client makes them anew: those on
 * which nothing is heard, since packets may vanish without an error, and those to a server that
 * says it is not the master, since the address may lead to another one by now.
 */
export class Connection {
  readonly #client: RedisClient;
  readonly #silenceMs: number;
  readonly #onlyListens: boolean;
  readonly #onRenew: () => void;
  /** Silence of each known node; the answers of one say nothing about another. */
  readonly #silences = new Map<string, Silence>();
  /** Callbacks for pending answers when the connection breaks. */
  readonly #due = new Set<() => void>();
  readonly #givenUp = new WeakSet<RedisNode>();
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
      /** Milliseconds without a word, while an answer is due, that are too many. */
      silenceMs: number;
      /** On a cluster it listens on connections of its own, which are not among the nodes'. */
      onlyListens?: boolean;
      /** Told when a server says that it is not the one to ask. */
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

  /** Rises when what is asked may be another server than before, or one that was started anew. */
  get interruptions(): number {
    return this.#breaks + this.#joins;
  }

  /**
   * Rises with each connection that breaks: a client may have sent again what it was asked before.
   * Not so on a cluster, where it says nothing of connections to single nodes.
   */
  get breaks(): number {
    return this.#breaks;
  }

  /**
   * Takes an answer as due.
   *
   * @param part On a cluster: what it was asked about, which is on one node.
   * @returns The answer, which rejects when it can come no more.
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
   * Makes another connection if an error says that this server is not the one to ask.
   *
   * @returns Whether it does.
   */
  heed(error: unknown): boolean {
    const message = error instanceof Error ? error.message : String(error);
    // Redis 6 puts what a command in a script was answered behind words of its own.
    const isOther = /^(READONLY|LOADING|MASTERDOWN) |-READONLY /.test(message);
    if (isOther) this.renew();
    return isOther;
  }

  /** Makes another connection, at most one in a second. */
  renew(): void {
    // A client of a cluster asks its nodes who is the master of what, and goes there.
    if (this.#client.isCluster) return;
    const nowMs = performance.now();
    if (nowMs < this.#renewedAtMs + RENEW_EVERY_MS) return;
    this.#renewedAtMs = nowMs;
    this.#leave();
    this.#onRenew();
  }

  /** Makes another connection, since this one is of no use. */
  giveUp(): void {
    this.#leave();
  }

  /** Watches no more. */
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
   * The client asks the server first of all, and does not notice when there is no answer. One that
   * loads for long is connected to several times, which costs nothing.
   */
  readonly #onConnect = (): void => {
    this.#onReady();
    const begun = new Promise<void>((resolve) => this.#onBegun = resolve);
    this.#silenceOf("").expect(begun);
  };

  readonly #onReady = (): void => this.#onBegun?.();

  /** A cluster has a connection to a node that it had none to. */
  readonly #onJoin = (): void => void this.#joins++;

  readonly #onBreak = (): void => {
    this.#breaks++;
    this.#isLeaving = false;
    this.#onReady();
    // Clients that send nothing twice may forget what had no answer, without a word.
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
    // A server that is silent does not say either that it heard of the end, which takes a while
    // then.
    if (this.#isClosed || this.#isLeaving || !IS_OPEN.has(this.#client.status)) return;
    this.#isLeaving = true;
    this.#client.disconnect(true);
  }

  /** Leaves only connections that are silent: what other nodes were asked is on its way. */
  async #leaveSilentNodes(): Promise<void> {
    if (this.#isAskingNodes) return;
    this.#isAskingNodes = true;
    const nodes = (this.#client.nodes?.() ?? []).filter((node) => !this.#givenUp.has(node));
    await Promise.all(nodes.map(async (node) => {
      const answer = Promise.race([node.call("PING"), this.#closed.promise]);
      try {
        await inTime(answer, this.#silenceMs / 2, () => new Error("silent"));
      } catch {
        if (!IS_OPEN.has(node.status)) return;
        this.#givenUp.add(node);
        node.disconnect();
      }
    }));
    this.#isAskingNodes = false;
  }
}
