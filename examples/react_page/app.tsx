/** @jsxRuntime automatic */
/** @jsxImportSource react */
import { TaskcastProvider, useTask, useTaskEvents, useTaskText } from "@taskcast/react";
import type { ReactElement } from "react";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

// Your own project has the types of the DOM; this repository is checked without them.
declare const document: { getElementById(id: string): Parameters<typeof createRoot>[0] | null };

/** Shows the answer as it grows. Only this component renders for each part of the answer. */
function Answer({ taskId }: { taskId: string }): ReactElement {
  return <p className="text">{useTaskText(taskId, "answer")}</p>;
}

/** Shows the task's status. It shares the connection of the events. */
function State({ taskId }: { taskId: string }): ReactElement {
  const { task, status, error } = useTask(taskId);
  if (error) return <p className="state" role="alert">{status}: {error.message}</p>;
  const isOver = status === "done";
  return (
    <p className="state">
      {task?.status ?? "…"} {status === "reconnecting" && "(no connection)"}
      {task && !isOver && <button type="button" onClick={() => stop(taskId)}>Stop</button>}
    </p>
  );
}

/** Shows the tools that were used. */
function Tools({ taskId }: { taskId: string }): ReactElement {
  const { events } = useTaskEvents(taskId, { filter: { types: ["tool.*"] }, maxEvents: 20 });
  return <ul>{events.map(({ eventId, data }) => <li key={eventId}>{String(data)}</li>)}</ul>;
}

/** The page. The task's id is in the address, so a reload or another window shows the same task. */
function Page(): ReactElement {
  const [taskId, setTaskId] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = () => setTaskId(location.hash.slice(1));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return (
    <>
      <h1>A task in React</h1>
      <button type="button" onClick={start}>Start</button>
      {taskId && <Answer taskId={taskId} />}
      {taskId && <Tools taskId={taskId} />}
      {taskId && <State taskId={taskId} />}
    </>
  );
}

async function start(): Promise<void> {
  const response = await fetch("start", { method: "POST" });
  location.hash = (await response.json()).taskId;
}

async function stop(taskId: string): Promise<void> {
  await fetch(`taskcast/tasks/${taskId}/status`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ status: "cancelled" }),
  });
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <TaskcastProvider baseUrl={new URL("taskcast", location.href).href}>
      <Page />
    </TaskcastProvider>
  </StrictMode>,
);
