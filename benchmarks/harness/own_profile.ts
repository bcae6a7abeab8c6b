import { Session } from "node:inspector";
import type { CpuProfile } from "./cpu_profile.ts";

/** Microseconds between two samples. */
const INTERVAL = 500;

/** Profiles this process while something is done. */
export async function profileOwn(work: () => Promise<unknown>): Promise<CpuProfile> {
  const session = new Session();
  session.connect();
  const post = (method: string, params = {}) =>
    new Promise<unknown>((resolve, reject) => {
      session.post(method, params, (error, result) => error ? reject(error) : resolve(result));
    });
  try {
    await post("Profiler.enable");
    await post("Profiler.setSamplingInterval", { interval: INTERVAL });
    await post("Profiler.start");
    await work();
    const { profile } = await post("Profiler.stop") as { profile: CpuProfile };
    return withoutInspector(profile);
  } finally {
    session.disconnect();
  }
}

/** Leaves out what profiling itself took, since it begins and ends by calls of this thread. */
function withoutInspector(profile: CpuProfile): CpuProfile {
  const { nodes, samples, timeDeltas } = profile;
  const own = new Set(
    nodes.flatMap(({ id, callFrame }) => callFrame.url.includes("inspector") ? [id] : []),
  );
  const kept = samples.map((id) => !own.has(id));
  return {
    ...profile,
    samples: samples.filter((_, i) => kept[i]),
    timeDeltas: timeDeltas.filter((_, i) => kept[i]),
  };
}
