import type { DependencyState, TaskEngine } from "@taskcast/core";
import { z } from "zod";
import { jsonResponse } from "../requests/json_answer.ts";
import type { Metrics } from "../metrics/mod.ts";
import type { Router } from "../router.ts";
import { API_VERSION, VERSION } from "../version.ts";

/** Names of adapters by role. */
export interface AdapterNames {
  /** E.g. `redis`. */
  broadcast?: string;
  /** E.g. `redis`. */
  shortTermStore?: string;
  /** E.g. `postgres`. */
  longTermStore?: string;
}

const ABOUT = { name: "taskcast", version: VERSION, apiVersion: API_VERSION, docs: "docs" };

const text = { "text/plain": { schema: z.string() } };

function json(description: string, schema: z.ZodType = z.any()) {
  return { description, content: { "application/json": { schema } } };
}

const detailSchema = z.object({
  ok: z.boolean(),
  version: z.string(),
  uptime: z.number().int(),
  auth: z.object({ mode: z.string() }),
  adapters: z.record(
    z.string(),
    z.object({ provider: z.string().optional(), status: z.enum(["ok", "degraded", "error"]) }),
  ),
  dependencies: z.any(),
  counters: z.any(),
  setAside: z.any(),
});

/** Returns whether the server can serve requests. */
function isReady(engine: TaskEngine, dependencies: Record<string, DependencyState>): boolean {
  return !engine.closing.aborted &&
    Object.values(dependencies).every(({ ok, required }) => ok || !required);
}

function statusOf({ ok, degraded }: DependencyState): "ok" | "degraded" | "error" {
  return !ok ? "error" : degraded === undefined ? "ok" : "degraded";
}

/** Adds the operations for operators and their tools. */
export function addServerRoutes(
  router: Router,
  { engine, metrics, authMode, providers }: {
    engine: TaskEngine;
    metrics: Metrics;
    authMode: string;
    providers: AdapterNames;
  },
): void {
  const startMs = performance.now();
  router.add({
    method: "get",
    path: "/",
    tag: "Server",
    alwaysAnswers: true,
    summary: "Name and version",
    responses: {
      200: json(
        "Name, version, API version, and links to the documentation",
        z.object({
          name: z.string(),
          version: z.string(),
          apiVersion: z.string(),
          docs: z.string(),
        }),
      ),
    },
  }, () => jsonResponse(ABOUT));

  router.add({
    method: "get",
    path: "/health",
    tag: "Server",
    alwaysAnswers: true,
    summary: "Check that the process is alive",
    responses: { 200: json("Alive", z.object({ status: z.literal("ok") })) },
  }, () => jsonResponse({ status: "ok" }));

  router.add({
    method: "get",
    path: "/health/ready",
    tag: "Server",
    alwaysAnswers: true,
    summary: "Check that requests can be served, with the state of each dependency",
    description: "Answers within half a second, with the states known by then.",
    responses: { 200: json("Ready"), 503: json("Not ready") },
  }, async () => {
    const dependencies = await engine.check();
    const ready = isReady(engine, dependencies);
    const status = engine.closing.aborted
      ? "closing"
      : !ready
      ? "unavailable"
      : Object.values(dependencies).every((state) => statusOf(state) === "ok")
      ? "ready"
      : "degraded";
    return jsonResponse({ status, dependencies }, { status: ready ? 200 : 503 });
  });

  router.add({
    method: "get",
    path: "/health/detail",
    tag: "Server",
    alwaysAnswers: true,
    summary: "Show storage layers, counters, and tasks that were set aside",
    scope: "task:manage",
    responses: { 200: json("State and counters", detailSchema) },
  }, async () => {
    const dependencies = await engine.check();
    return jsonResponse({
      ok: isReady(engine, dependencies),
      version: VERSION,
      uptime: Math.floor((performance.now() - startMs) / 1000),
      auth: { mode: authMode },
      adapters: Object.fromEntries(
        Object.entries(dependencies).map(([part, state]) => {
          const provider = providers[part as keyof AdapterNames];
          return [part, { ...(provider && { provider }), status: statusOf(state) }];
        }),
      ),
      dependencies,
      counters: engine.stats,
      setAside: engine.setAside(),
    });
  });

  router.add(
    {
      method: "get",
      path: "/metrics",
      tag: "Server",
      alwaysAnswers: true,
      summary: "Read metrics for Prometheus",
      scope: "task:manage",
      responses: { 200: { description: "Text format", content: text } },
    },
    async () => {
      const { text, contentType } = await metrics.text();
      return new Response(text, { headers: { "content-type": contentType } });
    },
  );
}
