import {
  captureException,
  close,
  createStackParser,
  createTransport,
  flush,
  getClient,
  initAndBind,
  linkedErrorsIntegration,
  nodeStackLineParser,
  ServerRuntimeClient,
  suppressTracing,
} from "@sentry/core";
import process from "node:process";
import type { StartableSdk } from "./start_with.ts";

/**
 * A Sentry SDK that only sends the errors it is given: the core that all of Sentry's SDKs share,
 * with the runtime's own `fetch`. The npm package contains it as one file, without dependencies.
 */
export const builtInSdk: StartableSdk = {
  captureException,
  getClient,
  linkedErrorsIntegration,
  flush,
  close,
  init(options) {
    initAndBind(ServerRuntimeClient, {
      // The variables that Sentry's SDKs for servers read.
      environment: process.env.SENTRY_ENVIRONMENT || undefined,
      release: process.env.SENTRY_RELEASE || undefined,
      ...options,
      ...aboutRuntime(),
      stackParser: createStackParser(nodeStackLineParser()),
      transport: fetchTransport,
    });
  },
};

function aboutRuntime() {
  const { deno, bun, node } = process.versions;
  const [name, version] = deno ? ["deno", deno] : bun ? ["bun", bun] : ["node", node];
  return { platform: name === "node" ? "node" : "javascript", runtime: { name, version } };
}

type TransportOptions = Parameters<typeof createTransport>[0] & { url: string };

function fetchTransport(options: TransportOptions): ReturnType<typeof createTransport> {
  return createTransport(options, ({ body }) =>
    // Keeps the requests to Sentry out of the process's traces.
    suppressTracing(async () => {
      const response = await fetch(options.url, { method: "POST", body: body as BodyInit });
      await response.body?.cancel();
      return {
        statusCode: response.status,
        headers: {
          "x-sentry-rate-limits": response.headers.get("x-sentry-rate-limits"),
          "retry-after": response.headers.get("retry-after"),
        },
      };
    }));
}
