import { onAbort } from "@taskcast/core/protocol";
import type { FullConnectionOptions } from "../connection_options.ts";
import type { Follow } from "../follow.ts";
import type { HttpClient } from "../http.ts";
import { Follower, startOf } from "./follower.ts";
import { lead } from "./leader.ts";
import type { SharePlatform } from "./platform.ts";
import { sharePlatform, Unshareable } from "./platform.ts";
import { shareName, START_PARAMETERS } from "./share_name.ts";

/**
 * Follows over one connection for all tabs that follow the same: one tab, by a lock, has it and
 * tells the others over a channel. When it goes, another takes over from where it is itself. Each
 * stream keeps its own cursor, and asks the server itself for what no tab remembers.
 *
 * Where there are no locks or channels each stream has its own connection.
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
    // Without a token there is no name; getting one is tried again by the connection.
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

/** A tab's turns to lead: in the order of asking, or at once when who leads does not answer. */
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

  /** Takes the turn away from whoever has it. */
  insist(): void {
    this.#insist();
  }

  /**
   * Waits for turns until it is stopped.
   *
   * @param use What is done in a turn, until its signal aborts. What it throws ends it all.
   * @throws {Unshareable} If there are no turns to be had.
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
          // A page that is left must not hold the lock until its connection has ended.
          await Promise.race([used, new Promise<void>((end) => onAbort(turn.signal, end))]);
        });
      } catch (error) {
        // Not waited for any more, or taken away: again. Anything else will not change.
        if ((error as Error).name !== "AbortError") failure ??= { error: new Unshareable() };
      } finally {
        forgetStop();
        turn.abort();
      }
      if (failure !== undefined) throw failure.error;
    }
  }
}
