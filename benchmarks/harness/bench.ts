import type { Measured } from "./result.ts";
import type { Listener, Server } from "./server.ts";

/** What scenarios are given. */
export interface Bench {
  /** The server under load. */
  server: Server;
  /** The same runtime and router without Taskcast. */
  bare: Server;
  /** Starts one more server like that under load; not when it is somebody else's. */
  startAnother?: (args?: readonly string[]) => Promise<Server>;
  /** Starts one like that on another storage, which it brings along; not when it is somebody else's. */
  startOn?: (storage: string) => Promise<Server>;
  /** The same of the bare one. @default {"deno"} */
  startAnotherBare: (listener?: Listener) => Promise<Server>;
  /** Where tasks are kept. */
  storage: string;
  rounds: number;
  /** Seconds of load a round. */
  seconds: number;
  /** Connections that send requests. */
  connections: number;
  /** Makes what is counted rather than timed smaller: 1 is full size. */
  scale: number;
  report: (result: Measured) => void;
}

/** A group of scenarios that share their servers. */
export type Scenario = (bench: Bench) => Promise<void>;

/** A whole number of things at this scale, at least one. */
export function scaled({ scale }: Bench, count: number): number {
  return Math.max(1, Math.ceil(count * scale));
}

/** So many readers at full scale; fewer where less is asked for, though not as much fewer. */
export function scaledReaders({ scale }: Pick<Bench, "scale">, readers: number): number {
  return Math.ceil(readers * Math.sqrt(Math.min(1, scale)));
}
