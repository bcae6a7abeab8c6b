import type { TaskEngine } from "@taskcast/core";

/** The engine of the same process. */
export interface ChatEngine {
  /** The engine, or something that does these parts of it. */
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
