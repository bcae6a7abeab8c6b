import type { Measured } from "./result.ts";
import type { Listener, Server } from "./server.ts";

/** Servers and settings of a run, passed to every scenario. */
export interface Bench {
  /** The server under load. */
  server: Server;
  /** Bare server: the same runtime and router without Taskcast. */
  bare: Server;
  /** Starts another server like the one under load; absent with `--url`. */
  startAnother?: (args?: readonly string[]) => Promise<Server>;
  /** Starts such a server with a storage of its own; absent with `--url`. */
  startOn?: (storage: string) => Promise<Server>;
  /** Starts another bare server. @default {"deno"} */
  startAnotherBare: (listener?: Listener) => Promise<Server>;
  /** Name of the storage. */
  storage: string;
  rounds: number;
  /** Duration of the load in each round. */
  seconds: number;
  /** Connections that send requests. */
  connections: number;
  /** Factor for amounts that are counted rather than timed; 1 is full size. */
  scale: number;
  report: (result: Measured) => void;
}

/** A group of scenarios that share their servers. */
export type Scenario = (bench: Bench) => Promise<void>;

/** Returns a count at the scale of the run, at least 1. */
export function scaled({ scale }: Bench, count: number): number {
  return Math.max(1, Math.ceil(count * scale));
}

/** Returns a number of readers, which shrinks with the square root of the scale. */
export function scaledReaders({ scale }: Pick<Bench, "scale">, readers: number): number {
  return Math.ceil(readers * Math.sqrt(Math.min(1, scale)));
}
