import { engine } from "../taskcast.ts";

/** Creates a task, and works on it. */
export const handler = {
  async POST(): Promise<Response> {
    const task = await engine.createTask({ type: "demo", ttl: 600 });
    void count(task.id); // Not awaited: the work does not depend on this request.
    return Response.json({ taskId: task.id }, { status: 202 });
  },
};

/** The work. It ends the task, whatever happens. */
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
