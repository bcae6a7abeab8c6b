import type { DisplacedPlace, DisplacedTask } from "@taskcast/core";
import type { Task } from "@taskcast/core/protocol";
import { invalidInput, TaskcastError, toJsonLine } from "@taskcast/core/protocol";
import type { AuthContext } from "../auth/mod.ts";
import { jsonResponse } from "../requests/json_answer.ts";
import type { Router } from "../router.ts";
import { displacedPageSchema, displacedTaskQuery } from "../schemas/displaced.ts";
import { undeliveredQuery } from "../schemas/query.ts";
import type { Services } from "./tasks.ts";

/** Adds operations on tasks in the archive whose id another task has taken. */
export function addDisplacedRoutes(
  router: Router,
  { engine, gate }: Pick<Services, "engine" | "gate">,
): void {
  const isManagedBy = (auth: AuthContext, task: Task) =>
    (gate.idsOf(auth)?.includes(task.id) ?? true) && gate.mayManage(auth, task);

  router.add({
    method: "get",
    path: "/displaced",
    tag: "Tasks",
    summary: "List archived tasks whose ids other tasks have taken, newest first",
    description: "Only tasks that the token may manage.",
    scope: "task:manage",
    query: undeliveredQuery,
    responses: {
      200: {
        description: "A page; the last one has no cursor",
        content: { "application/json": { schema: displacedPageSchema } },
      },
    },
  }, async ({ query: { limit = 50, cursor }, auth }) => {
    const after = cursor === undefined ? undefined : parseCursor(cursor);
    const page = await engine.listDisplaced({ limit, after });
    const tasks = page.filter(({ task }) => isManagedBy(auth, task))
      .map(({ task, incarnation }) => ({ task: gate.show(auth, task), incarnation }));
    const last = page.length === limit ? page.at(-1) : undefined;
    return jsonResponse({ tasks, nextCursor: last && cursorOf(last) });
  });

  router.add({
    method: "get",
    path: "/displaced/export",
    tag: "Tasks",
    summary: "Export a displaced task as lines of JSON: the task, then each event",
    scope: "task:manage",
    query: displacedTaskQuery,
    responses: { 200: { description: "NDJSON" } },
  }, async ({ query: { taskId, incarnation }, auth }) => {
    const { task, events } = await engine.exportDisplaced(taskId, incarnation);
    if (!isManagedBy(auth, task)) throw forbidden();
    const lines = linesOf({ task: gate.show(auth, task), incarnation }, events);
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const next = await lines.next();
        if (next.done) controller.close();
        else controller.enqueue(ENCODER.encode(`${toJsonLine(next.value)}\n`));
      },
      cancel: async () => void await lines.return(undefined),
    });
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  });

  router.add({
    method: "delete",
    path: "/displaced",
    tag: "Tasks",
    summary: "Delete a displaced task for good",
    scope: "task:manage",
    query: displacedTaskQuery,
    responses: { 204: { description: "Deleted" } },
  }, async ({ query: { taskId, incarnation }, auth }) => {
    const { task, events } = await engine.exportDisplaced(taskId, incarnation);
    await events.return(undefined);
    if (!isManagedBy(auth, task)) throw forbidden();
    await engine.deleteDisplaced(taskId, incarnation);
    return new Response(null, { status: 204 });
  });
}

const ENCODER = new TextEncoder();

async function* linesOf(
  first: unknown,
  events: AsyncGenerator<unknown, void>,
): AsyncGenerator<unknown, void> {
  yield first;
  yield* events;
}

function forbidden(): TaskcastError {
  return new TaskcastError("FORBIDDEN", "The token may not manage this task");
}

function cursorOf({ task: { createdAt, id }, incarnation }: DisplacedTask): string {
  return `${createdAt}.${incarnation}.${id}`;
}

function parseCursor(cursor: string): DisplacedPlace {
  const [, createdAt, incarnation, id] = /^(\d{1,15})\.([0-9a-z]{8})\.([A-Za-z0-9._:~-]{1,128})$/
    .exec(cursor) ?? [];
  if (createdAt === undefined || incarnation === undefined || id === undefined) {
    throw invalidInput("cursor", "must be the nextCursor of an earlier answer");
  }
  return { createdAt: Number(createdAt), incarnation, id };
}
