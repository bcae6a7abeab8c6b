import type { Measured } from "../harness/result.ts";

/** What each benchmark is given. */
export interface Run {
  rounds: number;
  /** Makes amounts smaller: 1 is full size. */
  scale: number;
  /** Milliseconds of one measurement. */
  ms: number;
  /** Calls that are under way at a time. */
  concurrencies: readonly number[];
  report(result: Measured & { storage: string }): void;
}
