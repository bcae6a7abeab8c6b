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

/** Either a client, or what one is made of. */
export type TaskcastProviderProps =
  & {
    /** Components that use the hooks. */
    children?: ReactNode;
  }
  & (
    | ({
      /** The client that the hooks below use. */
      client: TaskcastClient;
    } & { [Option in keyof TaskcastClientOptions]?: undefined })
    | ({
      /** Not given where a `baseUrl` is. */
      client?: undefined;
    } & TaskcastClientOptions)
  );

const ClientContext: Context<TaskcastClient | undefined> = createContext<
  TaskcastClient | undefined
>(undefined);

/**
 * Gives the hooks below it their client.
 *
 * A client that it makes lasts until `baseUrl`, a `token` that is text, `headers` or `connection`
 * say something else: then all tasks are followed anew. Of functions (`token`, `fetch`) always the
 * newest is called, so they may be written inline. Tokens that are renewed are to be a function.
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
    // The rest of what is used is in `content`.
  }, [given, content, hasTokenFunction]);
}

function newestToken(
  token: TaskcastClientOptions["token"],
  asked: { refresh: boolean },
): string | Promise<string> {
  // A provider that got a text meanwhile has made another client; this one is being given up.
  return typeof token === "function" ? token(asked) : token ?? "";
}

/**
 * The client of the {@linkcode TaskcastProvider} above, e.g. to read a task's history.
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
