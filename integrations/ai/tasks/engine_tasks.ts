import { isTerminal } from "@taskcast/core/protocol";
import type { ChatEngine } from "./chat_engine.ts";
import type { ChatTasks } from "./chat_tasks.ts";
import { EngineSink } from "./engine_sink.ts";
import { retryUnavailable } from "../retry_unavailable.ts";

/** Returns the operations on an engine in the same process. */
export function engineTasks({ engine }: ChatEngine, maxBufferedBytes: number): ChatTasks {
  return {
    create: (input) => engine.createTask(input),
    get: (taskId) => engine.getTask(taskId),
    list: (query) => engine.listTasks(query),
    transition(taskId, status, options) {
      const transition = () => engine.transitionTask(taskId, status, options);
      // Readers wait for the end, so it is retried. A repeated end is refused, so this is safe.
      return isTerminal(status) ? retryUnavailable(transition) : transition();
    },
    open: (taskId) => EngineSink.open(engine, taskId, maxBufferedBytes),
    async *follow(taskId, signal) {
      for await (const message of engine.subscribe(taskId, { signal })) {
        // The store lost events. Delivered chunks cannot be withdrawn, so readers must start over.
        if (message.kind === "open" && message.reset) return undefined;
        if (message.kind === "event") yield message.event;
        if (message.kind === "done") return message.reason;
      }
      return undefined;
    },
  };
}
