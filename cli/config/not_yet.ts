import type { TaskcastConfig } from "@taskcast/core";

/** What can be configured and is not done by this version: refused, so that nobody counts on it. */
export function notYet({ cleanup }: TaskcastConfig): string[] {
  const problems: string[] = [];
  if ((cleanup?.rules ?? []).length > 0) {
    problems.push("cleanup.rules: this version deletes nothing by rules yet; leave them out");
  }
  return problems;
}
