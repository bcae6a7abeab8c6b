import type { CpuProfile } from "./cpu_profile.ts";
import { perfProfile } from "./perf_profile.ts";

/** Samples a second of a processor's time. */
const FREQUENCY = 2_000;

/** Bytes of the stack that are kept of each: Lua makes texts in buffers of 8 KiB that lie there. */
const STACK_BYTES = 32_768;

/** Whether `perf` is installed. */
export async function hasPerf(): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", "command -v perf"] }).output();
  return success;
}

/**
 * Profiles another process while something is done, by `perf`: for programs that are not JavaScript.
 * Its time in the kernel is part of it, its time of waiting is not.
 */
export async function recordPerf(pid: number, work: () => Promise<unknown>): Promise<CpuProfile> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/perf.data`;
  // By the tables of exceptions, which every program has; few are compiled with frame pointers.
  const recording = new Deno.Command("perf", {
    args: [
      ...[
        "record",
        "-e",
        "cpu-clock",
        "-F",
        `${FREQUENCY}`,
        "--call-graph",
        `dwarf,${STACK_BYTES}`,
      ],
      ...["-o", file, "-p", `${pid}`],
    ],
    stdout: "null",
  }).spawn();
  try {
    await work();
  } finally {
    try {
      recording.kill("SIGINT");
    } catch {
      // It could not begin, and has said why.
    }
    await recording.status;
  }
  const { success, stdout, stderr } = await new Deno.Command("perf", {
    args: ["script", "-i", file, "-F", "ip,sym,dso"],
  }).output();
  await Deno.remove(folder, { recursive: true });
  if (!success) throw new Error(`perf: ${new TextDecoder().decode(stderr)}`);
  return perfProfile(new TextDecoder().decode(stdout), 1e6 / FREQUENCY);
}
