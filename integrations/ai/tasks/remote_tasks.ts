import type { TaskcastClient } from "@taskcast/client";
import type { TaskcastServerClient } from "@taskcast/server-sdk";
import { TaskcastError } from "@taskcast/core/protocol";
import type { ChatTasks } from "./chat_tasks.ts";

/** Tasks on a Taskcast server. Both clients retry after network errors. */
export interface ChatServer {
  /** Creates the tasks, publishes their events and ends them. */
  server: Pick<
    TaskcastServerClient,
    "createTask" | "getTask" | "listTasks" | "transitionTask" | "openPublisher"
  >;
  /** Reads them. */
  client: Pick<TaskcastClient, "stream">;
}

/** {@linkcode ChatTasks} on a server. */
export function remoteTasks({ server, client }: ChatServer, maxBufferedBytes: number): ChatTasks {
  return {
    create: (input) => server.createTask(input),
    async get(taskId) {
      try {
        return await server.getTask(taskId);
      } catch (error) {
        if (error instanceof TaskcastError && error.code === "TASK_NOT_FOUND") return undefined;
        throw error;
      }
    },
    list: (query) => server.listTasks(query),
    transition: (taskId, status, options) => server.transitionTask(taskId, status, options),
    async open(taskId) {
      const publisher = await Promise.resolve(server.openPublisher(taskId, { maxBufferedBytes }));
      return {
        signal: publisher.signal,
        publish: (event) => publisher.publish(event),
        async close() {
          await publisher.close();
          // Closing succeeds if nothing was left to store, even if the answer was cut off.
          publisher.signal.throwIfAborted();
        },
      };
    },
    async *follow(taskId, signal) {
      // Delivered chunks of an answer that the store lost cannot be withdrawn.
      const lost = new AbortController();
      const stream = client.stream(taskId, {
        signal: AbortSignal.any([signal, lost.signal]),
        onOpen: ({ reset }) => reset && lost.abort(),
      });
      yield* stream;
      return stream.reason;
    },
  };
}
