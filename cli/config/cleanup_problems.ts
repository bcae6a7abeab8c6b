import type { TaskcastConfig } from "@taskcast/core";
import { DEFAULT_ENGINE_OPTIONS } from "@taskcast/core";
import { assertCleanupRules } from "@taskcast/core/internal";
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

/** Units of time, the longest first. */
const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], [
  "second",
  1_000,
]] as const;

/** Says of rules that delete whole tasks that the archive does not keep them either. */
export function cleanupWarnings({ cleanup, adapters, engine }: TaskcastConfig): string[] {
  if (adapters?.longTerm === undefined) return [];
  const hotMs = engine?.hotRetentionMs ?? DEFAULT_ENGINE_OPTIONS.hotRetentionMs;
  return (cleanup?.rules ?? []).flatMap(({ name, target, trigger }, i) => {
    if (target === "events") return [];
    const called = name === undefined ? "" : ` (${name})`;
    return [
      `cleanup.rules[${i}]${called} also deletes archived history ${
        after(trigger.afterMs)
      }; for hot ` +
      "data only leave the rule out, since tasks leave the hot store anyway " +
      `${after(hotMs)} (engine.hotRetentionMs)`,
    ];
  });
}

function after(ms: number): string {
  if (ms === 0) return "at once";
  const [name, length] = UNITS.find(([, length]) => ms >= length) ?? ["millisecond", 1];
  const count = Math.round(ms / length * 10) / 10;
  return `after ${count} ${name}${count === 1 ? "" : "s"}`;
}
