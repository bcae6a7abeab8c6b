import type { SCRIPTS } from "../_generated_scripts.ts";
import type { Reply } from "../connection/client.ts";

/** The name of a script. */
export type ScriptName = keyof typeof SCRIPTS;

/**
 * The arguments of a script, or a function that creates them on sending. A call that is sent again
 * gets new arguments, unless it may have run already: then they stay the same.
 */
export type ScriptArgs = readonly string[] | (() => readonly string[]);

/** A call of a script on a partition. */
export interface ScriptCall {
  base: string;
  script: ScriptName;
  args: ScriptArgs;
  /** Increases with each call. */
  order: number;
  /** The arguments it was sent with, unless it is known not to have run. */
  sentWith?: readonly string[];
  /** The connection broke before the reply. */
  mayBeDone: boolean;
  /** The call timed out, and its caller got the error. */
  isLate: boolean;
  resolve(reply: readonly Reply[]): void;
  reject(error: unknown): void;
}
