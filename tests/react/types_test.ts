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

/** Compiles where two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function same<A, B>(_same: Same<A, B>): void {}

// Nothing of this runs: it is checked by the compiler, with the types of each React.
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

    // @ts-expect-error: a level that is none
    useTaskEvents("t", { filter: { levels: ["loud"] } });
    // @ts-expect-error: an option that is none
    useTask("t", { maxEvents: 5 });
    // @ts-expect-error: which series?
    useTaskText("t");
    // @ts-expect-error: what is shown is not the hook's to change
    events.push(events[0]!);

    h(TaskcastProvider, { client, children: "text" });
    h(TaskcastProvider, { baseUrl: "", token: () => "", headers: {} }, h("p"), "text");
    // @ts-expect-error: either a client or what one is made of
    TaskcastProvider({ client, baseUrl: "" });
    // @ts-expect-error: a token needs a server
    TaskcastProvider({ token: "" });
  }
});
