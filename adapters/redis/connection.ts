import type { RedisClient } from "./client.ts";
import { inTime } from "./in_time.ts";
import { Silence } from "./silence.ts";

/** Milliseconds between two connections that are given up for what the server answered. */
const RENEW_EVERY_MS = 1_000;

/** States in which there is a connection to give up; in others one is being made already. */
const IS_OPEN: ReadonlySet<string> = new Set(["connect", "ready"]);

/**
 * Gives connections up that are open and of no use, so that the client makes them anew: those on
 * which nothing is heard, since packets may vanish without an error, and those to a server that says
 * it is not the master, since the address may lead to another one by now.
 */
export class Connection {
  readonly #client: RedisClient;
  readonly #silenceMs: number;
  readonly #onlyListens: boolean;
  readonly #onRenew: () => void;
  /** Of each node of a cluster, as far as is known: the answers of one say nothing about another. */
  readonly #silences = new Map<string, Silence>();
  #renewedAtMs = -Infinity;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #isBegun: (() => void) | undefined;
  readonly #onConnect = (): void => {
    // The client asks the server first of all, and does not notice when there is no answer.
    this.#onBegun();
    this.expect(new Promise<void>((resolve) => this.#isBegun = resolve));
  };
  readonly #onBegun = (): void => this.#isBegun?.();

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
    client.on("ready", this.#onBegun);
    client.on("close", this.#onBegun);
  }

  /**
   * Takes an answer as due until it settles.
   *
   * @param part On a cluster: what it was asked about, which is on one node.
   */
  expect(answer: Promise<unknown>, part: string = ""): void {
    if (this.#isClosed) return;
    const key = this.#client.isCluster ? part : "";
    let silence = this.#silences.get(key);
    if (silence === undefined) {
      silence = new Silence({ limitMs: this.#silenceMs, onSilence: () => this.#giveUpSilent() });
      this.#silences.set(key, silence);
    }
    silence.expect(answer);
  }

  /** Makes another connection if an answer says that this server is not the one to ask. */
  heed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    // Redis 6 puts what a command in a script was answered behind words of its own.
    if (/^(READONLY|LOADING|MASTERDOWN) |-READONLY /.test(message)) this.renew();
  }

  /** Makes another connection, at most one in a second. */
  renew(): void {
    const nowMs = performance.now();
    if (this.#isClosed || nowMs < this.#renewedAtMs + RENEW_EVERY_MS) return;
    // A client of a cluster asks its nodes who is the master of what, and goes there.
    if (this.#client.isCluster || !IS_OPEN.has(this.#client.status)) return;
    this.#renewedAtMs = nowMs;
    this.#client.disconnect(true);
    this.#onRenew();
  }

  /** Watches no more. */
  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#client.off("connect", this.#onConnect);
    this.#client.off("ready", this.#onBegun);
    this.#client.off("close", this.#onBegun);
    for (const silence of this.#silences.values()) silence.close();
  }

  #giveUpSilent(): void {
    if (!IS_OPEN.has(this.#client.status)) return;
    const { isCluster } = this.#client;
    if (!isCluster || this.#onlyListens) return this.#client.disconnect(true);
    for (const node of this.#client.nodes?.() ?? []) {
      // Only the connections that are silent: what others were asked is on its way.
      const answer = Promise.race([node.call("PING"), this.#closed.promise]);
      inTime(answer, this.#silenceMs / 2, () => new Error("silent")).catch(() => {
        if (IS_OPEN.has(node.status)) node.disconnect();
      });
    }
  }
}
