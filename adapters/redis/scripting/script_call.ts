import type { SCRIPTS } from "../_generated_scripts.ts";
import type { Reply } from "../connection/client.ts";

/** A script. */
export type ScriptName = keyof typeof SCRIPTS;

/**
 * Arguments of a script: texts, or a function that makes them when the script is sent. A repeated
 * call gets new ones, unless the first may have been carried out: then it gets the same.
 */
export type ScriptArgs = readonly string[] | (() => readonly string[]);

/** A call of a script on a partition. */
export interface ScriptCall {
  base: string;
  script: ScriptName;
  args: ScriptArgs;
  /** Rises with each call. */
  order: number;
  /** Arguments it was sent with, unless it is known not to have been carried out. */
  sentWith?: readonly string[];
  /** Its connection broke before it was answered. */
  mayBeDone: boolean;
  /** Its time is over, and who asked has been told so. */
  isLate: boolean;
  resolve(reply: readonly Reply[]): void;
  reject(error: unknown): void;
}
