import { rounded } from "./measure.ts";

/** Core figures of a measurement. */
interface Figures {
  scenario: string;
  /** Median of all rounds. */
  value: number;
  unit: string;
  /** The same figure of the yardstick, from the same run. */
  baseline?: number;
  /** Name of the yardstick. */
  baselineName?: string;
  /** Median of the rounds' ratios of value to baseline. */
  ratio?: number;
  /** Target for the ratio if `targetIs` says so, else for the value. */
  target?: number;
  targetIs?: "ratio at least" | "at least" | "at most";
  rounds: number;
}

/** Core figures with latencies, faults, processors and memory. */
export type Measured = Figures & Record<string, unknown>;

/** A line in a file of results. */
export type Result = Measured & {
  /** Name of the storage. */
  storage: string;
  /** True if the target is met. */
  ok?: boolean;
};

/** Returns true if a result meets its target, `undefined` if it has none. */
export function meetsTarget(
  { value, ratio, target, targetIs }: Pick<Figures, "value" | "ratio" | "target" | "targetIs">,
): boolean | undefined {
  if (target === undefined) return undefined;
  if (targetIs === "ratio at least") return ratio !== undefined && ratio >= target;
  return targetIs === "at most" ? value <= target : value >= target;
}

/** Returns a function that prints results as lines of JSON and appends them to `file`, if given. */
export function resultWriter(file?: string): (result: Measured & { storage: string }) => void {
  return (result) => {
    const line = lineOf(result);
    console.log(line);
    if (file !== undefined) Deno.writeTextFileSync(file, line + "\n", { append: true });
  };
}

/** Returns the JSON of a result, with rounded numbers. */
export function lineOf(result: Measured & { storage: string }): string {
  return JSON.stringify(
    { ...result, ok: meetsTarget(result) },
    (_, value) => typeof value === "number" ? rounded(value) : value,
  );
}
