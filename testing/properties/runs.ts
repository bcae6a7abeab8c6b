/**
 * Returns the number of runs of a property: `count`, multiplied by `TASKCAST_TEST_RUNS`, which
 * `deno task test:soak` sets.
 */
export function runs(count: number): number {
  return count * Number(Deno.env.get("TASKCAST_TEST_RUNS") ?? 1);
}
