import type { TaskcastClientOptions } from "@taskcast/client";
import { TaskcastClient } from "@taskcast/client";
import type { Context, ReactElement, ReactNode } from "react";
import {
  createContext,
  createElement,
  useContext,
  useInsertionEffect,
  useMemo,
  useRef,
} from "react";

/** A client, or the options to create one. */
export type TaskcastProviderProps =
  & {
    /** Components that use the hooks. */
    children?: ReactNode;
  }
  & (
    | ({
      /** The client for the hooks below. */
      client: TaskcastClient;
    } & { [Option in keyof TaskcastClientOptions]?: undefined })
    | ({
      /** Must not be set along with `baseUrl`. */
      client?: undefined;
    } & TaskcastClientOptions)
  );

const ClientContext: Context<TaskcastClient | undefined> = createContext<
  TaskcastClient | undefined
>(undefined);

/**
 * Provides a client to the hooks below it.
 *
 * Without `client`, it creates one. When `baseUrl`, a `token` given as text, `headers` or
 * `connection` change, it creates a new one, and all subscriptions restart. The functions `token`
 * and `fetch` may be written inline, since the newest one is always called. Use a function for
 * tokens that are renewed.
 *
 * @throws {TypeError} Without `client` and `baseUrl`, and if `baseUrl` is not an absolute URL.
 *
 * @example
 * ```ts
 * import { TaskcastProvider } from "@taskcast/react";
 * import type { ReactElement, ReactNode } from "react";
 * import { createElement } from "react";
 *
 * export function WithTaskcast({ children }: { children: ReactNode }): ReactElement {
 *   return createElement(TaskcastProvider, {
 *     baseUrl: "http://localhost:3721",
 *     token: ({ refresh }) => tokenOfSession(refresh),
 *     children,
 *   });
 * }
 *
 * function tokenOfSession(_refresh: boolean): Promise<string> {
 *   return Promise.resolve("…");
 * }
 * ```
 */
export function TaskcastProvider(props: TaskcastProviderProps): ReactElement {
  const { client, children, ...options } = props;
  return createElement(ClientContext.Provider, { value: useClient(client, options) }, children);
}

function useClient(
  given: TaskcastClient | undefined,
  options: Partial<TaskcastClientOptions>,
): TaskcastClient {
  const newest = useRef(options);
  useInsertionEffect(() => {
    newest.current = options;
  });
  const { baseUrl, token, headers, connection } = options;
  const content = JSON.stringify([baseUrl, typeof token === "string" ? token : null, {
    headers,
    connection,
  }]);
  const hasTokenFunction = typeof token === "function";
  return useMemo(() => {
    if (given !== undefined) return given;
    if (baseUrl === undefined) {
      throw new TypeError("<TaskcastProvider> needs a client or a baseUrl");
    }
    return new TaskcastClient({
      baseUrl,
      headers,
      connection,
      token: hasTokenFunction ? (asked) => newestToken(newest.current.token, asked) : token,
      fetch: (...args) => (newest.current.fetch ?? fetch)(...args),
    });
    // The other dependencies are part of `content`.
  }, [given, content, hasTokenFunction]);
}

function newestToken(
  token: TaskcastClientOptions["token"],
  asked: { refresh: boolean },
): string | Promise<string> {
  // The token is now a text, for which the provider created another client; this one is closing.
  return typeof token === "function" ? token(asked) : token ?? "";
}

/**
 * Returns the client of the {@linkcode TaskcastProvider} above, e.g. to read a task's history.
 *
 * @throws {Error} If there is no provider.
 */
export function useTaskcastClient(): TaskcastClient {
  const client = useContext(ClientContext);
  if (client === undefined) {
    throw new Error("Hooks of @taskcast/react need a <TaskcastProvider> above the component");
  }
  return client;
}
