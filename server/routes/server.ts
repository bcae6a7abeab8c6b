import { z } from "@hono/zod-openapi";
import type { TaskEngine } from "@taskcast/core";
import { Gauge, Registry } from "prom-client";
import type { Router } from "../router.ts";
import { VERSION } from "../version.ts";

const text = { "text/plain": { schema: z.string() } };

function json(description: string, schema: z.ZodType = z.any()) {
  return { description, content: { "application/json": { schema } } };
}

/** Adds what operators and their tools ask. */
export function addServerRoutes(router: Router, engine: TaskEngine): void {
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
    responses: { 200: json("They can"), 503: json("They cannot") },
  }, async () => {
    const dependencies = await engine.check();
    const lost = Object.values(dependencies).filter(({ ok }) => !ok);
    const ready = !engine.closing.aborted && !lost.some(({ required }) => required);
    const status = engine.closing.aborted
      ? "closing"
      : !ready
      ? "unavailable"
      : lost.length > 0
      ? "degraded"
      : "ready";
    return Response.json({ status, dependencies }, { status: ready ? 200 : 503 });
  });

  router.add({
    method: "get",
    path: "/health/detail",
    tag: "Server",
    summary: "Storage layers and counters",
    scope: "task:manage",
    responses: { 200: json("State and counters") },
  }, async () => {
    const dependencies = await engine.check();
    return Response.json({ version: VERSION, dependencies, counters: engine.stats });
  });

  const metrics = metricsOf(engine);
  router.add(
    {
      method: "get",
      path: "/metrics",
      tag: "Server",
      summary: "Metrics for Prometheus",
      scope: "task:manage",
      responses: { 200: { description: "Text format", content: text } },
    },
    async () =>
      new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } }),
  );
}

function metricsOf(engine: TaskEngine): Registry {
  const registry = new Registry();
  const add = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `taskcast_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  add("tasks_created_total", "Tasks created", () => engine.stats.tasksCreated);
  add("tasks_ended_total", "Tasks that reached a terminal state", () => engine.stats.tasksEnded);
  add("events_stored_total", "Events stored", () => engine.stats.eventsStored);
  add("commits_total", "Commits carried out", () => engine.stats.commits);
  add(
    "events_archived_total",
    "Events archived by this instance",
    () => engine.stats.eventsArchived,
  );
  add(
    "tasks_released_total",
    "Hot copies given up by this instance",
    () => engine.stats.tasksReleased,
  );
  add(
    "archive_lag_seconds",
    "How late the oldest unarchived work is",
    () => engine.stats.archiveLagMs / 1000,
  );
  add("streams", "Open streams", () => engine.stats.streams);
  add("followed_tasks", "Tasks with open streams", () => engine.stats.tails);
  return registry;
}
