import type { Connect } from "./connection/connect.ts";
import type { FullConnectionOptions } from "./connection/connection_options.ts";
import type { EventSourceConstructor } from "./connection/event_source_connect.ts";
import { eventSourceConnect } from "./connection/event_source_connect.ts";
import { fetchConnect, NoStreamError } from "./connection/fetch_connect.ts";
import type { HttpClient } from "./http.ts";

/** Options for opening connections. */
export interface TransportOptions {
  /**
   * `fetch` sends the token as a header. `eventsource` is for runtimes whose `fetch` does not
   * stream; with a token it gets a ticket for each connection. `auto` uses `fetch` if it streams.
   * @default {"auto"}
   */
  transport?: "auto" | "fetch" | "eventsource";
  /** Implementation of `EventSource` for runtimes without it. @default the runtime's own */
  EventSource?: EventSourceConstructor;
}

/**
 * Returns the function that connects by the chosen transport.
 *
 * @throws {TypeError} If the transport does not exist, or if it needs an `EventSource` and there is
 * none.
 */
export function chooseConnect(
  http: HttpClient,
  { transport = "auto", EventSource = runtimeEventSource() }: TransportOptions,
  connection: FullConnectionOptions,
): Connect {
  const viaFetch = fetchConnect(http, connection.idleTimeoutMs);
  if (transport === "fetch") return viaFetch;
  if (transport !== "auto" && transport !== "eventsource") {
    throw new TypeError(`There is no transport "${transport}": auto, fetch or eventsource`);
  }
  if (EventSource === undefined) {
    if (transport === "auto") return viaFetch;
    throw new TypeError("There is no EventSource here: give one as the option EventSource");
  }
  const viaEventSource = eventSourceConnect(http, EventSource, connection);
  if (transport === "eventsource") return viaEventSource;
  let streams = http.hasOwnFetch || canStream();
  return async function* (request) {
    if (streams) {
      try {
        return yield* viaFetch(request);
      } catch (error) {
        if (!(error instanceof NoStreamError)) throw error;
        streams = false; // Later connections do not try fetch again.
      }
    }
    yield* viaEventSource(request);
  };
}

function runtimeEventSource(): EventSourceConstructor | undefined {
  return (globalThis as { EventSource?: EventSourceConstructor }).EventSource;
}

/**
 * Returns whether `fetch` streams. Polyfills that wait for the whole answer have no body stream.
 */
function canStream(): boolean {
  return typeof new Response("").body?.getReader === "function";
}
