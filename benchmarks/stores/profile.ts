// Profiles what is done on stores. Started by main.ts, in a process for each:
//
//   deno run -A --config ROOT/deno.json benchmarks/stores/profile.ts NAME FOLDER MILLISECONDS
import type { CpuProfile } from "../harness/cpu_profile.ts";
import { profileOwn } from "../harness/own_profile.ts";
import { hasPerf, recordPerf } from "../harness/perf_record.ts";
import { cpuMs } from "../harness/processes.ts";
import { DENO, REDIS } from "../report/origins.ts";
import type { Origins } from "../report/origins.ts";
import { writeProfile } from "../report/write_profile.ts";
import { PROFILED } from "./profiled.ts";

type Recording = (work: () => Promise<void>) => Promise<CpuProfile>;

const [name, folder, ms] = Deno.args;

await PROFILED[name!]!(async (work, redis) => {
  await profileOf("self", "Deno", `${folder}/${name}`, DENO, profileOwn);
  if (redis === undefined) return;
  const { process: { pid } } = redis;
  if (await hasPerf()) {
    const record: Recording = (work) => recordPerf(pid, work);
    await profileOf(pid, "redis-server", `${folder}/${name}-server`, REDIS, record);
  } else console.error("perf is not installed: redis-server is not profiled");

  /** Says in the title what the operating system counted, since a profile counts by the clock. */
  async function profileOf(
    pid: number | "self",
    process: string,
    path: string,
    origins: Origins,
    record: Recording,
  ): Promise<void> {
    let title = `${name}, ${process}`;
    const profile = await record(async () => {
      const beforeMs = await cpuMs(pid);
      const events = await work();
      const afterMs = await cpuMs(pid);
      if (beforeMs === undefined || afterMs === undefined) return;
      const micros = 1000 * (afterMs - beforeMs) / events;
      title += `: ${micros.toPrecision(2)} µs of a processor for each event`;
    });
    await writeProfile(path, title, profile, origins);
  }
}, Number(ms));
