import type { TaskEngine } from "@taskcast/core";
import { z } from "zod";
import type { Metrics } from "../metrics/mod.ts";
import type { Router } from "../router.ts";
import { VERSION } from "../version.ts";

const text = { "text/plain": { schema: z.string() } };

function json(description: string, schema: z.ZodType = z.any()) {
  return { description, content: { "application/json": { schema } } };
}

/** Adds what operators and their tools ask. */
export function addServerRoutes(
  router: Router,
  { engine, metrics }: { engine: TaskEngine; metrics: Metrics },
): void {
  router.add({
    method: "get",
    path: "/",
    tag: "Server",
    summary: "Name and version",
    responses: {
      200: json(
        "Name, version, and where the documentation is",
        z.object({ name: z.string(), version: z.string(), docs: z.string() }),
      ),
    },
  }, () => Response.json({ name: "taskcast", version: VERSION, docs: "docs" }));

  router.add({
    method: "get",
    path: "/health",
    tag: "Server",
    summary: "Whether the process is alive",
    responses: { 200: json("It is", z.object({ status: z.literal("ok") })) },
  }, () => Response.json({ status: "ok" }));

  router.add({
    method: "get",
    path: "/health/ready",
    tag: "Server",
    summary: "Whether requests can be served, with each dependency's state",
    description: "Answers within half a second, with what is known by then.",
    responses: { 200: json("They can"), 503: json("They cannot") },
  }, async () => {
    const dependencies = await engine.check();
    const states = Object.values(dependencies);
    const isWhole = states.every(({ ok, degraded }) => ok && degraded === undefined);
    const ready = !engine.closing.aborted && states.every(({ ok, required }) => ok || !required);
    const status = engine.closing.aborted
      ? "closing"
      : !ready
      ? "unavailable"
      : isWhole
      ? "ready"
      : "degraded";
    return Response.json({ status, dependencies }, { status: ready ? 200 : 503 });
  });

  router.add({
    method: "get",
    path: "/health/detail",
    tag: "Server",
    summary: "Storage layers, counters, and tasks whose work is set aside",
    scope: "task:manage",
    responses: { 200: json("State and counters") },
  }, async () => {
    const dependencies = await engine.check();
    return Response.json({
      version: VERSION,
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
      summary: "Metrics for Prometheus",
      scope: "task:manage",
      responses: { 200: { description: "Text format", content: text } },
    },
    async () => {
      const { text, contentType } = await metrics.text();
      return new Response(text, { headers: { "content-type": contentType } });
    },
  );
}
