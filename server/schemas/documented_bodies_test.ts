import assert from "node:assert/strict";
import fc from "fast-check";
import type { z } from "zod";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { CreateTaskInput, EventInput, TaskStatus } from "@taskcast/core/protocol";
import { isRefusal } from "@taskcast/core/protocol";
import { runs } from "../../testing/properties/runs.ts";
import { eventBody } from "./event.ts";
import { createTaskBody, transitionBody } from "./task.ts";

// The engine checks bodies and the schemas document them, so nothing that the engine takes may be
// missing in the document.

/** Values of every kind, of which each field takes some. */
const value = fc.oneof(
  fc.constantFrom(
    ...[null, true, 0, 1, 9, 10, -1, 1.5, "", "x", "a.b", "info", "latest", "running", "blocked"],
    ...["external", "x".repeat(257), "x".repeat(5_000), [], ["x"], [1], {}, { a: 1 }],
    ...[{ message: "m" }, { message: "m", code: "c", details: {} }, { type: "t", data: 1 }],
    { rules: [{ match: { scope: ["task:manage"] }, require: { sub: ["u"] } }] },
    { rules: [{ trigger: { afterMs: 5 }, target: "task" }] },
    [{ url: "https://a.example/", secret: "0123456789abcdef0123456789abcdef" }],
    { delta: "x" },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Returns objects with some of a schema's fields, and now and then another. */
function bodies(fields: readonly string[]) {
  return fc.dictionary(fc.constantFrom(...fields, "other"), value, { maxKeys: 4 });
}

async function isTaken(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

async function assertDocumented(
  schema: z.ZodType,
  fields: readonly string[],
  take: (engine: TaskEngine, body: Record<string, unknown>) => Promise<unknown>,
): Promise<void> {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(bodies(fields), async (body) => {
      if (!await isTaken(take(engine, body))) return;
      taken++;
      const { success, error } = schema.safeParse(body);
      assert(success, `${JSON.stringify(body)}: ${error?.message}`);
    }),
    { numRuns: runs(1_500) },
  );
  assert(taken > 20, `${taken} bodies were taken`);
}

Deno.test("every new task that the engine accepts matches the documented schema", async () => {
  const fields = ["type", "params", "metadata", "tags", "priority", "ttl", "authConfig"];
  fields.push("webhooks", "cleanup", "assignMode", "cost", "disconnectPolicy");
  await assertDocumented(
    createTaskBody,
    fields,
    (engine, body) => engine.createTask(body as CreateTaskInput),
  );
});

Deno.test("every event that the engine accepts matches the documented schema", async () => {
  const fields = ["level", "seriesId", "seriesMode", "seriesAccField", "producerId"];
  fields.push("producerSeq", "producerEpoch");
  await assertDocumented(eventBody, fields, async (engine, body) => {
    Object.assign(body, { type: "x", data: { delta: "y" } });
    const { id } = await engine.createTask();
    return await engine.publishEvent(id, body as unknown as EventInput);
  });
});

Deno.test("every transition that the engine accepts matches the documented schema", async () => {
  const fields = ["result", "error", "reason", "ttl", "resumeAfterMs", "blockedRequest"];
  await assertDocumented(transitionBody, fields, async (engine, body) => {
    const { id } = await engine.createTask();
    await engine.transitionTask(id, "running");
    Object.assign(body, { status: "blocked" satisfies TaskStatus });
    const { status: _status, ...options } = body;
    return await engine.transitionTask(id, "blocked", options);
  });
});
