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
 * Returns a {@linkcode Follow} that uses one connection for all tabs that follow the same stream.
 * The tab that holds a lock has the connection and sends messages to the others over a channel. When
 * that tab closes, another one takes over from its own position. Each stream keeps its own cursor,
 * and reads messages that the leading tab has not kept from the server.
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
    // The name depends on the token. If there is none now, an own connection retries getting it.
    const name = await shareName(http, urlAt(cursor)).catch(() => undefined);
    if (name === undefined) return yield* follow(request);
    const stop = new AbortController();
    if (signal?.aborted) return;
    const removeAbortListener = onAbort(signal, () => stop.abort());
    const turns = new Turns(platform.locks, name, stop.signal);
    const follower = new Follower(request, {
      follow,
      options,
      platform,
      name,
      onNoAnswer: () => turns.steal(),
      stop: stop.signal,
    });
    onAbort(stop.signal, () => follower.close());
    void turns.run(async (turn) => {
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
      removeAbortListener();
      stop.abort();
    }
  };
}

/** Acquires the lock of the leading tab: in turn, or by force if the leader does not answer. */
class Turns {
  readonly #locks: SharePlatform["locks"];
  readonly #name: string;
  readonly #stop: AbortSignal;
  #steal = () => {};

  constructor(locks: SharePlatform["locks"], name: string, stop: AbortSignal) {
    this.#locks = locks;
    this.#name = name;
    this.#stop = stop;
  }

  /** Takes the lock from the tab that holds it. */
  steal(): void {
    this.#steal();
  }

  /**
   * Acquires the lock again and again until `stop` aborts.
   *
   * @param use Runs while the lock is held, until its signal aborts. Its error is passed on.
   * @throws {Unshareable} If the browser refuses locks.
   */
  async run(use: (turn: AbortSignal) => Promise<void>): Promise<void> {
    let steal = false;
    while (!this.#stop.aborted) {
      const turn = new AbortController();
      const removeStopListener = onAbort(this.#stop, () => turn.abort());
      let failure: { error: unknown } | undefined;
      let holds = false;
      this.#steal = () => {
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
          // Releases the lock at once when the turn ends, even if the connection is still closing.
          await Promise.race([used, new Promise<void>((end) => onAbort(turn.signal, end))]);
        });
      } catch (error) {
        // Retries if the wait was aborted or the lock was stolen. Any other error is permanent.
        if ((error as Error).name !== "AbortError") failure ??= { error: new Unshareable() };
      } finally {
        removeStopListener();
        turn.abort();
      }
      if (failure !== undefined) throw failure.error;
    }
  }
}
