import { isTerminal } from "@taskcast/core/protocol";
import type { ChatEngine } from "./chat_engine.ts";
import type { ChatTasks } from "./chat_tasks.ts";
import { EngineSink } from "./engine_sink.ts";
import { patiently } from "../patiently.ts";

/** {@linkcode ChatTasks} in the same process. */
export function engineTasks({ engine }: ChatEngine, maxBufferedBytes: number): ChatTasks {
  return {
    create: (input) => engine.createTask(input),
    get: (taskId) => engine.getTask(taskId),
    list: (query) => engine.listTasks(query),
    transition(taskId, status, options) {
      const transition = () => engine.transitionTask(taskId, status, options);
      // Readers wait for the end, and an end that comes twice is refused.
      return isTerminal(status) ? patiently(transition) : transition();
    },
    open: (taskId) => EngineSink.open(engine, taskId, maxBufferedBytes),
    async *follow(taskId, signal) {
      for await (const message of engine.subscribe(taskId, { signal })) {
        // What was told of the answer cannot be taken back: whoever reads it has to begin anew.
        if (message.kind === "open" && message.reset) return undefined;
        if (message.kind === "event") yield message.event;
        if (message.kind === "done") return message.reason;
      }
      return undefined;
    },
  };
}
