"use client";

import { TaskcastProvider, useTaskText } from "@taskcast/react";
import type { ReactElement } from "react";
import { useState } from "react";

export default function Page(): ReactElement {
  const [taskId, setTaskId] = useState<string>();

  async function start(): Promise<void> {
    const response = await fetch("/start", { method: "POST" });
    setTaskId((await response.json()).taskId);
  }

  if (taskId === undefined) return <button type="button" onClick={start}>Start</button>;
  return (
    <TaskcastProvider baseUrl={new URL("/taskcast", location.href).href}>
      <Text taskId={taskId} />
    </TaskcastProvider>
  );
}

/** Shows the text as it grows. */
function Text({ taskId }: { taskId: string }): ReactElement {
  return <p>{useTaskText(taskId, "text")}</p>;
}
