import { TaskcastError } from "@taskcast/core/protocol";
import type { Context } from "hono";
import { Hono } from "hono";
import { routePath } from "hono/route";
import { z } from "zod";
import type { TaskcastAppOptions } from "./app_options.ts";
import { assertAppOptions } from "./assert_options.ts";
import { authorize, createAuthenticator, createTickets, ticketSecretOf } from "./auth/mod.ts";
import { bodyLimitsOf } from "./requests/body_limits.ts";
import { corsOf } from "./origins/cors.ts";
import { docsPage } from "./docs/page.ts";
import { ForeignOrigins, preflightRefusal } from "./origins/foreign_origins.ts";
import { Gate } from "./auth/gate.ts";
import { createMetrics } from "./metrics/mod.ts";
import { ObservedRequests } from "./requests/observe_requests.ts";
import { errorResponse, isUnexpected } from "./http_errors.ts";
import { RequestLimits, StreamSlots } from "./limits/mod.ts";
import { openApiDocument } from "./openapi/document.ts";
import { streamedRefusal } from "./sse/refusal.ts";
import { Router } from "./router.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addServerRoutes } from "./routes/server.ts";
import { addDisplacedRoutes } from "./routes/displaced.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";
import { addCancelRoutes } from "./routes/cancel.ts";
import { addLeaseRoutes } from "./routes/leases.ts";
import { addTaskRoutes } from "./routes/tasks.ts";
import { taskId } from "./schemas/basics.ts";

/**
 * Returns the HTTP API of an engine: a Hono app over web-standard requests and responses. Serve it by
 * itself, or mount it into another app under any path. It opens nothing, and has no timers while no
 * request is open.
 *
 * @throws {TypeError} If the options are invalid.
 *
 * @example Serve it, or mount it
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createTaskcastApp } from "@taskcast/server";
 * import { Hono } from "hono";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const app = new Hono().route("/taskcast", createTaskcastApp({ engine }));
 *
 * const response = await app.request("/taskcast/tasks", { method: "POST" });
 * assert.equal(response.status, 201);
 * assert.equal((await response.json()).status, "pending");
 * await engine.close();
 * ```
 */
export function createTaskcastApp(options: TaskcastAppOptions): Hono {
  assertAppOptions(options);
  const { engine, auth = { mode: "none" } } = options;
  const bodyLimits = bodyLimitsOf(options);
  const app = new Hono();
  const now = () => Date.now();
  const tickets = createTickets({ secret: options.ticketSecret ?? ticketSecretOf(auth), now });
  const open = (auth.mode ?? "none") === "none";
  const slots = {
    reading: new StreamSlots(options),
    publishing: new StreamSlots(options, "publishing streams"),
  };
  const limits = new RequestLimits({
    rateLimit: options.rateLimit,
    clientAddress: options.clientAddress,
    open,
  });
  const metrics = createMetrics(engine, { limits, slots });
  const gate = new Gate(engine, { open });

  const requests = new ObservedRequests({
    onError(error, context, info) {
      const { requestId, route, taskId } = info;
      if (isUnexpected(error)) {
        engine.reportError(error, {
          operation: `${context.req.method} ${route}`,
          ...(taskId === undefined ? {} : { taskId }),
          requestId,
        });
      }
      const response = errorResponse(error, requestId);
      const streamed = streamedRefusal(context.req.raw, route, { error, response });
      if (streamed === undefined) return response;
      info.refusedWith = response.status;
      return streamed;
    },
    onAnswered(answered) {
      metrics.http.answered(answered);
      options.onAnswered?.(answered);
    },
  });
  const origins = new ForeignOrigins(options.cors, options.onOriginRefused);
  if (options.cors !== undefined) {
    app.use("*", requests.around(origins.reporting(corsOf(options.cors))));
  }

  const router = new Router(app, {
    requests,
    authenticate: createAuthenticator(options),
    authenticateTicket: (ticket, taskId) => tickets.verify(ticket, taskId),
    requireScope: authorize,
    limits,
    bodyLimits,
    ignoredParameters: [...options.ignoredParameters ?? []],
  });
  addServerRoutes(router, {
    engine,
    metrics,
    authMode: auth.mode ?? "none",
    providers: options.providers ?? {},
  });
  addTaskRoutes(router, { engine, gate, tickets });
  addCancelRoutes(router, { engine, gate });
  addLeaseRoutes(router, { engine, gate });
  addWebhookRoutes(router, { engine, gate });
  addDisplacedRoutes(router, { engine, gate });
  addEventRoutes(router, {
    engine,
    gate,
    tickets,
    slots,
    bodyLimits,
    onOpened: (request) => origins.report(request),
    onSent: (bytes) => metrics.http.sent(bytes),
  });
  addDocs(app, router, { requests, limits });
  refuseTheRest(app, requests, origins);
  return app;
}

function addDocs(
  app: Hono,
  { operations }: Router,
  { requests, limits }: { requests: ObservedRequests; limits: RequestLimits },
): void {
  const documented = (path: string, summary: string, type: string) =>
    operations.push({
      method: "get",
      path,
      tag: "Server",
      summary,
      responses: { 200: { description: summary, content: { [type]: { schema: z.any() } } } },
    });
  documented("/openapi.json", "This document", "application/json");
  documented("/docs", "A page to browse and try this API", "text/html");

  // Generating the document takes 50 ms, so it happens once, on the first request for it.
  let document: Record<string, unknown> | undefined;
  const count = (context: Context) =>
    limits.countAddress(limits.addressOf(context.req.raw, context));
  const add = (path: string, answer: (context: Context) => Response | Promise<Response>) =>
    app.get(
      path,
      requests.handler((context, info) => {
        info.route = path;
        count(context);
        return answer(context);
      }),
    );
  add("/openapi.json", (context) => {
    // Paths are relative to where the app is mounted.
    const serverUrl = context.req.path.slice(0, -"/openapi.json".length) || "/";
    document ??= openApiDocument(operations, { id: taskId });
    return context.json({ ...document, servers: [{ url: serverUrl }] });
  });
  add("/docs", async (context) => {
    const { html, headers } = await docsPage();
    return context.html(html, 200, headers);
  });
}

/** Answers requests that no route matched, in the same shape as every error. */
function refuseTheRest(app: Hono, requests: ObservedRequests, origins: ForeignOrigins): void {
  const methods = methodsByPath(app);
  const refuse = (context: Context) => {
    const { method, path } = context.req;
    // Paths are relative to where the app is mounted: the part of `/base/*` before `/*`.
    const below = path.slice(routePath(context).length - "/*".length);
    for (const [pattern, allowed] of methods) {
      if (!pattern.test(below) || allowed.split(", ").includes(method)) continue;
      const preflight = preflightRefusal(context.req.raw);
      if (preflight !== undefined) origins.report(context.req.raw);
      const response = errorResponse(
        new TaskcastError(
          "METHOD_NOT_ALLOWED",
          preflight ?? `${method} is not allowed for this path; allowed: ${allowed}`,
        ),
      );
      response.headers.set("allow", allowed);
      return response;
    }
    return errorResponse(
      new TaskcastError(
        "NOT_FOUND",
        `There is nothing at ${method} ${path}; see /docs for all operations`,
      ),
    );
  };
  app.all("*", requests.handler(refuse));
}

/** Returns the allowed methods of each path. */
function methodsByPath(app: Hono): [RegExp, string][] {
  const methods = new Map<string, string[]>();
  for (const { method, path } of app.routes) {
    if (method !== "ALL") methods.set(path, [...methods.get(path) ?? [], method]);
  }
  return [...methods].map(([path, allowed]) => [
    new RegExp(`^${path.replaceAll(/[.]/g, "\\.").replaceAll(/:\w+/g, "[^/]+")}$`),
    allowed.join(", "),
  ]);
}
