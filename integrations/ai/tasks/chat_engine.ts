import type { TaskEngine } from "@taskcast/core";

/** An engine in the same process. */
export interface ChatEngine {
  /** The engine, or an object with these methods of it. */
  engine: Pick<
    TaskEngine,
    | "createTask"
    | "getTask"
    | "listTasks"
    | "transitionTask"
    | "publishEvents"
    | "watchEnd"
    | "subscribe"
    | "limits"
  >;
}
