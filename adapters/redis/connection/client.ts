/** A reply to a script or a command, as ioredis returns it. */
export type Reply = null | string | number | readonly Reply[];

/** Commands sent together. */
export interface RedisPipeline {
  /** Adds a script by its hash. */
  evalsha(hash: string, keys: number, ...args: string[]): unknown;
  /** Adds a script by its text. */
  eval(script: string, keys: number, ...args: string[]): unknown;
  /** Adds loading a script. */
  script(subcommand: "LOAD", script: string): unknown;
  /** Adds any command. */
  call(command: string, ...args: string[]): unknown;
  /** Sends all commands. */
  exec(): Promise<[error: Error | null, reply: unknown][] | null>;
}

/** The part of a connection to a cluster node that Taskcast uses. */
export type RedisNode = Pick<
  RedisClient,
  "status" | "options" | "pipeline" | "call" | "on" | "disconnect"
>;

/** The part of an ioredis client, `Redis` or `Cluster`, that Taskcast uses. */
export interface RedisClient {
  /** E.g. `ready`, `connecting`, `reconnecting`. */
  readonly status: string;
  /** Set on cluster clients. */
  readonly isCluster?: boolean;
  /** Options of the client. */
  readonly options?: unknown;
  /** Starts a pipeline. */
  pipeline(): RedisPipeline;
  /** Sends any command. */
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Subscribes to channels. */
  subscribe(...channels: string[]): Promise<unknown>;
  /** Unsubscribes. */
  unsubscribe(...channels: string[]): Promise<unknown>;
  /** Subscribes to sharded channels. */
  ssubscribe(...channels: string[]): Promise<unknown>;
  /** Unsubscribes from sharded channels. */
  sunsubscribe(...channels: string[]): Promise<unknown>;
  /** Adds a listener for events of the connection. */
  // deno-lint-ignore no-explicit-any
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Removes a listener. */
  // deno-lint-ignore no-explicit-any
  off(event: string, listener: (...args: any[]) => void): unknown;
  /** Connections to the nodes of a cluster. */
  nodes?(role?: "master"): RedisNode[];
  /** Addresses of the nodes that serve each slot of a cluster, the master first. */
  readonly slots?: readonly (readonly string[])[];
  /** Refreshes which cluster node serves which slot. */
  refreshSlotsCache?(onDone: (error?: Error | null) => void): void;
  /** Closes the connection; reconnects if asked to. */
  disconnect(reconnect?: boolean): void;
}

/** States worth waiting for before the first connection; after it they are an outage. */
export const BEGINNING: ReadonlySet<string> = new Set(["wait", "connecting", "connect"]);
