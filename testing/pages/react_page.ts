import { serve } from "../network/serve.ts";
import { JSDOM } from "jsdom";
import type { TaskEngineOptions } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { TaskcastProvider } from "@taskcast/react";
import type { TaskcastProviderProps } from "@taskcast/react";
import type { ReactElement, ReactNode } from "react";
import { createElement, StrictMode } from "react";
import { until } from "../sse/sse.ts";

// React checks for a page when it is loaded, so the page is created first, once for all tests.
const { window } = new JSDOM("", { url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });
const { createRoot, hydrateRoot } = await import("react-dom/client");

/** A page that renders components below a provider. */
export interface ReactPage {
  /** Returns its visible text. */
  text(): string;
  /** Renders something else in the same place. */
  show(children: ReactNode, provider?: Partial<TaskcastProviderProps>): void;
  /** Unmounts everything. */
  unmount(): void;
  /** Errors reported by React and by components. */
  errors: unknown[];
  [Symbol.dispose](): void;
}

/** Options for {@linkcode openPage}. */
export interface PageOptions {
  /** Mounts everything twice, as in development. */
  strict?: boolean;
  /** HTML rendered by a server, to hydrate. */
  html?: string;
}

/** Delays between attempts that are short enough for tests. */
export const quick = { minDelayMs: 1, maxDelayMs: 4 };

export function openPage(
  props: TaskcastProviderProps,
  { strict = false, html }: PageOptions = {},
): ReactPage {
  const element = window.document.createElement("div");
  const container = element as unknown as Parameters<typeof createRoot>[0];
  const errors: unknown[] = [];
  const report = { onRecoverableError: (error: unknown) => void errors.push(error) };
  const pageOf = (children: ReactNode, more: Partial<TaskcastProviderProps> = {}): ReactElement => {
    const all = { connection: quick, ...props, ...more, children } as TaskcastProviderProps;
    const page = createElement(TaskcastProvider, all);
    return strict ? createElement(StrictMode, null, page) : page;
  };
  element.innerHTML = html ?? "";
  let root = html === undefined ? createRoot(container, report) : undefined;
  return {
    errors,
    text: () => element.textContent,
    show(children, more) {
      const page = pageOf(children, more);
      if (root === undefined) root = hydrateRoot(container, page, report);
      else root.render(page);
    },
    unmount: () => root?.unmount(),
    [Symbol.dispose]: () => root?.unmount(),
  };
}

/** A Taskcast server over a socket that counts its requests. */
export interface CountingServer {
  url: string;
  engine: TaskEngine;
  /** Number of requested streams so far. */
  streams(): number;
  /** All requests so far: method and path. */
  requests: string[];
  /** Number of open streams. */
  open(): number;
  /** Waits until nothing is followed any more, i.e. nothing was left behind. */
  isLeftAlone(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function countingServer(options: Partial<TaskEngineOptions> = {}): CountingServer {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...options,
  });
  const app = createTaskcastApp({ engine });
  const requests: string[] = [];
  const server = serve((request) => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`);
    return app.fetch(request);
  });
  return {
    url: server.url,
    engine,
    requests,
    streams: () => requests.filter((request) => request.endsWith("/events")).length,
    open: () => engine.stats.streams,
    isLeftAlone: () => until(() => engine.stats.streams === 0, "nobody follows anything"),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
