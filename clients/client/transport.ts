import type { Connect } from "./connect.ts";
import type { FullConnectionOptions } from "./connection_options.ts";
import type { EventSourceConstructor } from "./event_source_connect.ts";
import { eventSourceConnect } from "./event_source_connect.ts";
import { fetchConnect, NoStreamError } from "./fetch_connect.ts";
import type { HttpClient } from "./http.ts";

/** By what connections are made. */
export interface TransportOptions {
  /**
   * `fetch` sends the token as a header. `eventsource` is for pages where `fetch` gives out answers
   * only as a whole; with a token it gets a ticket for each connection. `auto` takes `fetch` where
   * it streams. @default {"auto"}
   */
  transport?: "auto" | "fetch" | "eventsource";
  /** For runtimes without one. @default the runtime's own */
  EventSource?: EventSourceConstructor;
}

/**
 * The way to connect here.
 *
 * @throws {TypeError} If there is no `EventSource` and nothing else is wanted, and for a transport
 * that does not exist.
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
        streams = false; // And will not, the next time.
      }
    }
    yield* viaEventSource(request);
  };
}

function runtimeEventSource(): EventSourceConstructor | undefined {
  return (globalThis as { EventSource?: EventSourceConstructor }).EventSource;
}

/** Stand-ins for `fetch` that wait for the whole answer have answers without a stream. */
function canStream(): boolean {
  return typeof new Response("").body?.getReader === "function";
}
