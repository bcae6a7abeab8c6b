import type { SCRIPTS } from "../_generated_scripts.ts";
import type { Reply } from "../connection/client.ts";

/** A script. */
export type ScriptName = keyof typeof SCRIPTS;

/**
 * What a script is called with: texts, or what makes them when it is sent. A call that is sent again is
 * made anew, but where it may have been carried out: then it is the same.
 */
export type ScriptArgs = readonly string[] | (() => readonly string[]);

/** A call of a script on a partition. */
export interface ScriptCall {
  base: string;
  script: ScriptName;
  args: ScriptArgs;
  /** Rises with each call. */
  order: number;
  /** What it was sent with, unless it is known that this was not carried out. */
  sentWith?: readonly string[];
  /** Its connection broke before it was answered. */
  mayBeDone: boolean;
  /** Its time is over, and who asked has been told so. */
  isLate: boolean;
  resolve(reply: readonly Reply[]): void;
  reject(error: unknown): void;
}
