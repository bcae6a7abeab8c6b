// Taskcast inside your own server, in ten lines. Run it: deno run -A examples/quick_start.ts
// To use another port than 3721, put PORT=8000 before the command.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";

const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});
Deno.serve({ port: Number(Deno.env.get("PORT") ?? 3721) }, createTaskcastApp({ engine }).fetch);

const task = await engine.createTask({ id: "hello" });
for (const delta of ["Hello", ", ", "world"]) {
  await engine.publishEvent(task.id, {
    type: "greeting",
    data: { delta },
    seriesId: "text",
    seriesMode: "accumulate",
  });
}
await engine.transitionTask(task.id, "completed"); // Now: curl -N localhost:3721/tasks/hello/events
