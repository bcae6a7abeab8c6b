import { engine } from "../taskcast.ts";

/** Creates a task and starts its work. */
export const handler = {
  async POST(): Promise<Response> {
    const task = await engine.createTask({ type: "demo", ttl: 600 });
    void count(task.id); // Not awaited: the work continues after this request.
    return Response.json({ taskId: task.id }, { status: 202 });
  },
};

/** Does the work of a task, and ends the task in any case. */
async function count(taskId: string): Promise<void> {
  try {
    await engine.transitionTask(taskId, "running");
    for (const delta of ["one ", "two ", "three"]) {
      await engine.publishEvent(taskId, {
        type: "count",
        data: { delta },
        seriesId: "text",
        seriesMode: "accumulate",
      });
    }
    await engine.transitionTask(taskId, "completed");
  } catch (error) {
    const message = String(error);
    await engine.transitionTask(taskId, "failed", { error: { message } }).catch(console.error);
  }
}
