import { EventSource } from "eventsource";

// Widely used clients of SSE, as they are published.

/** A message as such a client gives it out. */
export interface LibraryMessage {
  event: string;
  data: string;
}

/** What a client does while it follows. */
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

/** Each by its name on npm. */
export const LIBRARIES: Readonly<Record<string, Library>> = {
  "eventsource": followBy((url) => new EventSource(url) as Source),
};
