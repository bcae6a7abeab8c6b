import type { TaskcastClient } from "@taskcast/client";
import type { TaskcastServerClient } from "@taskcast/server-sdk";
import { TaskcastError } from "@taskcast/core/protocol";
import type { ChatTasks } from "./chat_tasks.ts";

/** Clients of a Taskcast server that has the tasks. Both retry after network errors. */
export interface ChatServer {
  /** Creates the tasks, publishes their events and ends them. */
  server: Pick<
    TaskcastServerClient,
    "createTask" | "getTask" | "listTasks" | "transitionTask" | "openPublisher"
  >;
  /** Follows the tasks. */
  client: Pick<TaskcastClient, "stream">;
}

/** Returns the operations on a Taskcast server. */
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
          // close() succeeds if all published events are stored, even if the task ended elsewhere.
          publisher.signal.throwIfAborted();
        },
      };
    },
    async *follow(taskId, signal) {
      // Aborts if the store lost events, because delivered chunks cannot be withdrawn.
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
