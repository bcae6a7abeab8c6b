import type { Listening } from "../contract.ts";
import { ListenError } from "../listen_error.ts";

/** Attempts to find a port that is free on both addresses. */
const ATTEMPTS = 10;

/**
 * Listens on both addresses that `localhost` may mean, with the same port.
 *
 * @param port 0 picks one that is free on both.
 * @param listenOn Listens on one address.
 * @throws {ListenError} If the port is taken on either address. A machine without ::1 is no error.
 */
export async function listenOnLoopback(
  port: number,
  listenOn: (address: { host: string; port: number }) => Promise<Listening>,
): Promise<Listening> {
  for (let attempt = 1;; attempt++) {
    const first = await listenOn({ host: "127.0.0.1", port });
    try {
      const second = await listenOn({ host: "::1", port: first.port });
      return {
        port: first.port,
        shutdown: async () => {
          await Promise.all([first.shutdown(), second.shutdown()]);
        },
      };
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      if (error.reason === "unavailable") return first;
      await first.shutdown();
      if (port !== 0 || error.reason !== "taken" || attempt === ATTEMPTS) throw error;
    }
  }
}
