import type {
  DoneReason,
  EventEnvelope,
  StreamStatus,
  Task,
  TaskcastClient,
} from "@taskcast/react";
import {
  TaskcastProvider,
  useTask,
  useTaskcastClient,
  useTaskEvents,
  useTaskText,
} from "@taskcast/react";
import { createElement as h } from "react";

/** Compiles if two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function same<A, B>(_same: Same<A, B>): void {}

// Nothing here runs: the compiler checks it, with the types of each React.
Deno.test("types are exact", () => {
  // deno-lint-ignore no-unused-vars
  function Hooks(): void {
    const { events, dropped, isDone, doneReason, error, status } = useTaskEvents("t", {
      filter: { types: ["a"], levels: ["info"], includeStatus: false },
      enabled: true,
      maxEvents: 5,
    });
    same<typeof events, readonly EventEnvelope[]>(true);
    same<typeof dropped, number>(true);
    same<typeof isDone, boolean>(true);
    same<typeof doneReason, DoneReason | undefined>(true);
    same<typeof error, Error | undefined>(true);
    same<typeof status, StreamStatus>(true);
    const { task } = useTask(null, { enabled: false });
    same<typeof task, Task | undefined>(true);
    const text = useTaskText(undefined, "answer", { filter: {} });
    same<typeof text, string>(true);
    const client = useTaskcastClient();
    same<typeof client, TaskcastClient>(true);

    // @ts-expect-error: unknown level
    useTaskEvents("t", { filter: { levels: ["loud"] } });
    // @ts-expect-error: unknown option
    useTask("t", { maxEvents: 5 });
    // @ts-expect-error: missing series
    useTaskText("t");
    // @ts-expect-error: read-only
    events.push(events[0]!);

    h(TaskcastProvider, { client, children: "text" });
    h(TaskcastProvider, { baseUrl: "", token: () => "", headers: {} }, h("p"), "text");
    // @ts-expect-error: either a client or the options for one
    TaskcastProvider({ client, baseUrl: "" });
    // @ts-expect-error: a token needs a server
    TaskcastProvider({ token: "" });
  }
});
