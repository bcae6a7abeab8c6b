import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSource } from "eventsource";
import polyfill from "event-source-polyfill";
import ReconnectingEventSource from "reconnecting-eventsource";

// Widely used clients of SSE, as they are published.

/** A message as such a client gives it out. */
export interface LibraryMessage {
  event: string;
  data: string;
}

/** Callbacks of a client that follows a task. */
export interface LibraryListener {
  onMessage: (message: LibraryMessage) => void;
  /** It will ask again. */
  onRetry?: () => void;
}

/** Follows until the signal stops it, or until it gives up by itself: then the promise settles. */
export type Library = (
  url: string,
  signal: AbortSignal,
  listener: LibraryListener,
) => Promise<void>;

const NAMES = ["message", "taskcast.open", "taskcast.event", "taskcast.done"];

/** The part of `EventSource` that all of them have. */
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

/** How long `@microsoft/fetch-event-source` wanted to wait before each of its further requests. */
export const fetchEventSourceWaitsMs: number[] = [];

// Its types are those of the CommonJS build.
const Reconnecting = ReconnectingEventSource as unknown as new (
  url: string,
  options: object,
) => Source;

/** Each by its name on npm. */
export const LIBRARIES: Readonly<Record<string, Library>> = {
  "@microsoft/fetch-event-source": async (url, signal, { onMessage, onRetry }) => {
    Object.assign(globalThis, asPage(fetchEventSourceWaitsMs));
    await fetchEventSource(url, {
      signal,
      openWhenHidden: true,
      // What is only a comment or a retry is told as a message without data.
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
