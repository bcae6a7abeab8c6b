import type { Measured } from "../harness/result.ts";

/** Settings of a run, passed to every benchmark. */
export interface Run {
  rounds: number;
  /** Factor for amounts; 1 is full size. */
  scale: number;
  /** Duration of one measurement. */
  ms: number;
  /** Numbers of concurrent calls to measure with. */
  concurrencies: readonly number[];
  report(result: Measured & { storage: string }): void;
}
