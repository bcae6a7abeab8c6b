/** A script's or a command's answer, as ioredis gives it. */
export type Reply = null | string | number | readonly Reply[];

/** Commands that are sent together. */
export interface RedisPipeline {
  /** Adds a script by its hash. */
  evalsha(hash: string, keys: number, ...args: string[]): unknown;
  /** Adds a script by its text. */
  eval(script: string, keys: number, ...args: string[]): unknown;
  /** Adds that the server is to know a script. */
  script(subcommand: "LOAD", script: string): unknown;
  /** Adds any command. */
  call(command: string, ...args: string[]): unknown;
  /** Sends everything. */
  exec(): Promise<[error: Error | null, reply: unknown][] | null>;
}

/** As much of a connection to one node of a cluster as is needed. */
export type RedisNode = Pick<
  RedisClient,
  "status" | "options" | "pipeline" | "call" | "on" | "disconnect"
>;

/** As much of a client of ioredis, `Redis` or `Cluster`, as is needed. */
export interface RedisClient {
  /** `ready`, `connecting`, `reconnecting` … */
  readonly status: string;
  /** Set on clients of a cluster. */
  readonly isCluster?: boolean;
  /** Options that the client was created with. */
  readonly options?: unknown;
  /** Commands that are sent together. */
  pipeline(): RedisPipeline;
  /** Any command. */
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Listens to channels. */
  subscribe(...channels: string[]): Promise<unknown>;
  /** Stops listening. */
  unsubscribe(...channels: string[]): Promise<unknown>;
  /** Listens to channels of one shard. */
  ssubscribe(...channels: string[]): Promise<unknown>;
  /** Stops listening. */
  sunsubscribe(...channels: string[]): Promise<unknown>;
  /** Hears of events of the connection. */
  // deno-lint-ignore no-explicit-any
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Hears of them no more. */
  // deno-lint-ignore no-explicit-any
  off(event: string, listener: (...args: any[]) => void): unknown;
  /** The connections to the nodes of a cluster. */
  nodes?(role?: "master"): RedisNode[];
  /** Addresses of the nodes that serve each slot of a cluster, the master first. */
  readonly slots?: readonly (readonly string[])[];
  /** Reads again which node of a cluster serves which slot. */
  refreshSlotsCache?(onDone: (error?: Error | null) => void): void;
  /** Closes the connection, and makes another one if that is wanted. */
  disconnect(reconnect?: boolean): void;
}

/** Before a connection was ever ready these are worth waiting for; after that they are an outage. */
export const BEGINNING: ReadonlySet<string> = new Set(["wait", "connecting", "connect"]);
