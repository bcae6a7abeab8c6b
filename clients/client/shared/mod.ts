import { onAbort } from "@taskcast/core/protocol";
import type { FullConnectionOptions } from "../connection/connection_options.ts";
import type { Follow } from "../follow.ts";
import type { HttpClient } from "../http.ts";
import { Follower, startOf } from "./follower.ts";
import { lead } from "./leader.ts";
import type { SharePlatform } from "./platform.ts";
import { sharePlatform, Unshareable } from "./platform.ts";
import { shareName, START_PARAMETERS } from "./share_name.ts";

/**
 * Follows over one connection for all tabs that follow the same stream. The tab that holds a lock
 * has the connection and sends messages to the others over a channel. When that tab closes, another
 * one takes over from its own position. Each stream keeps its own cursor, and asks the server for
 * messages that no tab has kept.
 *
 * Where there are no locks or channels, each stream has its own connection.
 */
export function sharedFollow(
  http: HttpClient,
  follow: Follow,
  options: FullConnectionOptions,
  platform: SharePlatform | undefined = sharePlatform(),
): Follow {
  if (platform === undefined) return follow;
  return async function* (request) {
    const { cursor, signal, urlAt } = request;
    // Without a token there is no name. The connection will retry getting one.
    const name = await shareName(http, urlAt(cursor)).catch(() => undefined);
    if (name === undefined) return yield* follow(request);
    const stop = new AbortController();
    if (signal?.aborted) return;
    const forgetAbort = onAbort(signal, () => stop.abort());
    const turns = new Turns(platform.locks, name, stop.signal);
    const follower = new Follower(request, {
      follow,
      options,
      platform,
      name,
      onNoAnswer: () => turns.insist(),
      stop: stop.signal,
    });
    onAbort(stop.signal, () => follower.close());
    void turns.take(async (turn) => {
      const { cursor } = follower;
      const url = urlAt(cursor);
      const { searchParams } = new URL(url);
      await lead({
        name,
        platform,
        follow,
        request: { ...request, cursor, signal: turn },
        origin: {
          start: startOf(url, cursor),
          cursor,
          isBeginning: cursor === undefined &&
            !START_PARAMETERS.some((name) => searchParams.has(name)),
        },
        maxBufferedChars: options.maxBufferedChars,
      });
    }).catch((error) => follower.fail(error));
    try {
      yield* follower.messages();
    } catch (error) {
      if (!(error instanceof Unshareable)) throw error;
      yield* follow({ ...request, cursor: follower.cursor });
    } finally {
      forgetAbort();
      stop.abort();
    }
  };
}

/** Turns of a tab to lead: in the order of requests, or at once if the leader does not answer. */
class Turns {
  readonly #locks: SharePlatform["locks"];
  readonly #name: string;
  readonly #stop: AbortSignal;
  #insist = () => {};

  constructor(locks: SharePlatform["locks"], name: string, stop: AbortSignal) {
    this.#locks = locks;
    this.#name = name;
    this.#stop = stop;
  }

  /** Takes the turn away from the current holder. */
  insist(): void {
    this.#insist();
  }

  /**
   * Waits for turns until the signal aborts.
   *
   * @param use Runs during each turn, until its signal aborts. Its exception ends everything.
   * @throws {Unshareable} If no turns are available.
   */
  async take(use: (turn: AbortSignal) => Promise<void>): Promise<void> {
    let steal = false;
    while (!this.#stop.aborted) {
      const turn = new AbortController();
      const forgetStop = onAbort(this.#stop, () => turn.abort());
      let failure: { error: unknown } | undefined;
      let holds = false;
      this.#insist = () => {
        if (holds) return;
        steal = true;
        turn.abort();
      };
      const options = steal ? { steal } : { signal: turn.signal };
      steal = false;
      try {
        await this.#locks.request(this.#name, options, async () => {
          holds = true;
          const used = use(turn.signal).catch((error) => failure = { error });
          // A hidden page must not hold the lock until its connection has ended.
          await Promise.race([used, new Promise<void>((end) => onAbort(turn.signal, end))]);
        });
      } catch (error) {
        // Retries if the wait was aborted or the lock was stolen. Any other error is permanent.
        if ((error as Error).name !== "AbortError") failure ??= { error: new Unshareable() };
      } finally {
        forgetStop();
        turn.abort();
      }
      if (failure !== undefined) throw failure.error;
    }
  }
}
