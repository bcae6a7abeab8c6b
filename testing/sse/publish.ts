import type { TaskEngine } from "@taskcast/core";

/** Publishes tokens of the series `answer`. */
export async function say(engine: TaskEngine, taskId: string, ...tokens: string[]): Promise<void> {
  await engine.publishEvents(
    taskId,
    tokens.map((delta) => ({
      type: "llm.delta",
      data: { delta },
      seriesId: "answer",
      seriesMode: "accumulate",
    })),
  );
}
