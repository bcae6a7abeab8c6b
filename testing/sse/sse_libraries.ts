import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSource } from "eventsource";
import polyfill from "event-source-polyfill";
import ReconnectingEventSource from "reconnecting-eventsource";

// Widely used SSE clients, as published.

/** A message as such a client delivers it. */
export interface LibraryMessage {
  event: string;
  data: string;
}

/** Callbacks of a client that follows a task. */
export interface LibraryListener {
  onMessage: (message: LibraryMessage) => void;
  /** The client will reconnect. */
  onRetry?: () => void;
}

/** Follows until the signal aborts or the client stops reconnecting; then the promise settles. */
export type Library = (
  url: string,
  signal: AbortSignal,
  listener: LibraryListener,
) => Promise<void>;

const NAMES = ["message", "taskcast.open", "taskcast.event", "taskcast.done"];

/** The common part of all `EventSource` implementations. */
interface Source {
  readyState: number;
  addEventListener(name: string, listener: (event: { data?: string }) => void): void;
  close(): void;
}

function followBy(make: (url: string) => Source): Library {
  return (url, signal, { onMessage, onRetry }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const source = make(url);
    for (const event of NAMES) {
      source.addEventListener(event, ({ data }) => onMessage({ event, data: data! }));
    }
    source.addEventListener("error", () => {
      if (source.readyState === 2) resolve();
      else onRetry?.();
    });
    signal.addEventListener("abort", () => {
      source.close();
      resolve();
    });
    return promise;
  };
}

/** Globals of a page whose timers record their delay and fire at once. */
function asPage(waitsMs: number[]) {
  return {
    document: { removeEventListener() {} },
    window: {
      fetch,
      clearTimeout,
      setTimeout(callback: () => void, delayMs: number) {
        waitsMs.push(delayMs);
        return setTimeout(callback, 1);
      },
    },
  };
}

/** Delays of `@microsoft/fetch-event-source` before each further request. */
export const fetchEventSourceWaitsMs: number[] = [];

// Its types describe the CommonJS build.
const Reconnecting = ReconnectingEventSource as unknown as new (
  url: string,
  options: object,
) => Source;

/** The clients by their names on npm. */
export const LIBRARIES: Readonly<Record<string, Library>> = {
  "@microsoft/fetch-event-source": async (url, signal, { onMessage, onRetry }) => {
    Object.assign(globalThis, asPage(fetchEventSourceWaitsMs));
    await fetchEventSource(url, {
      signal,
      openWhenHidden: true,
      // It reports a block with only a comment or a retry as a message without data.
      onmessage: ({ event, data }) => data !== "" && onMessage({ event, data }),
      onerror(error) {
        onRetry?.();
        if (signal.aborted) throw error;
      },
    }).catch((error) => {
      if (!signal.aborted) throw error;
    });
  },
  "event-source-polyfill": followBy((url) => new polyfill.EventSourcePolyfill(url)),
  "reconnecting-eventsource": followBy((url) => {
    const options = { eventSourceClass: EventSource, max_retry_time: 10 };
    return new Reconnecting(url, options);
  }),
  "eventsource": followBy((url) => new EventSource(url) as Source),
};
