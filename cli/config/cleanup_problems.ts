import type { TaskcastConfig } from "@taskcast/core";
import { assertCleanupRules } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";

/** What is wrong with clean-up rules beyond their shape; the engine would refuse them. */
export function cleanupProblems({ cleanup }: TaskcastConfig, file: string): string[] {
  if (cleanup?.rules === undefined) return [];
  try {
    assertCleanupRules(cleanup.rules, "cleanup.rules");
    return [];
  } catch (error) {
    if (!(error instanceof TaskcastError)) throw error;
    return [`${file}: ${error.message.replace(/^"([^"]*)"/, "$1:")}`];
  }
}
