import { rounded } from "./measure.ts";

/** What a scenario measured. */
interface Figures {
  scenario: string;
  /** The median of all rounds. */
  value: number;
  unit: string;
  /** What the same machine does without Taskcast, in the same run. */
  baseline?: number;
  /** What that is. */
  baselineName?: string;
  /** The median of the rounds' ratios: of ours to the baseline. */
  ratio?: number;
  /** What is asked for: of the ratio when `targetIs` says so, else of the value. */
  target?: number;
  targetIs?: "ratio at least" | "at least" | "at most";
  rounds: number;
}

/** That and everything else: latencies, faults that readers saw, processors, memory. */
export type Measured = Figures & Record<string, unknown>;

/** A line of a file of results. */
export type Result = Measured & {
  /** Where tasks are kept. */
  storage: string;
  /** Whether the target is met. */
  ok?: boolean;
};

/** Whether a result is what is asked for, where something is. */
export function meetsTarget(
  { value, ratio, target, targetIs }: Pick<Figures, "value" | "ratio" | "target" | "targetIs">,
): boolean | undefined {
  if (target === undefined) return undefined;
  if (targetIs === "ratio at least") return ratio !== undefined && ratio >= target;
  return targetIs === "at most" ? value <= target : value >= target;
}

/** Returns a function that prints results, a line of JSON each, and appends them to a file. */
export function resultWriter(file?: string): (result: Measured & { storage: string }) => void {
  return (result) => {
    const line = lineOf(result);
    console.log(line);
    if (file !== undefined) Deno.writeTextFileSync(file, line + "\n", { append: true });
  };
}

/** The line of a result, with numbers that are not more exact than they can be. */
export function lineOf(result: Measured & { storage: string }): string {
  return JSON.stringify(
    { ...result, ok: meetsTarget(result) },
    (_, value) => typeof value === "number" ? rounded(value) : value,
  );
}
