/**
 * Returns the number of runs of a property: `count`, or as many times that as `TASKCAST_TEST_RUNS`
 * says, which `deno task test:soak` sets.
 */
export function runs(count: number): number {
  return count * Number(Deno.env.get("TASKCAST_TEST_RUNS") ?? 1);
}
