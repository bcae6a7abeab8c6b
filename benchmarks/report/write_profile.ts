import { resolve } from "node:path";
import type { CpuProfile } from "../harness/cpu_profile.ts";
import { selfTimes, selfTimeTable } from "../harness/cpu_profile.ts";
import { flameGraph } from "./flame_graph.ts";
import type { Origins } from "./origins.ts";

/** Functions that are told. */
const ROWS = 25;

/**
 * Writes a profile for the tools of browsers and a flame graph, and tells which functions took most.
 *
 * @param path Where to, without `.cpuprofile` and `.svg`.
 */
export async function writeProfile(
  path: string,
  title: string,
  profile: CpuProfile,
  origins?: Origins,
): Promise<void> {
  await Deno.writeTextFile(`${path}.cpuprofile`, JSON.stringify(profile));
  await Deno.writeTextFile(`${path}.svg`, flameGraph(title, profile, origins));
  console.error(`\n${resolve(path)}.cpuprofile\n\n${selfTimeTable(selfTimes(profile), ROWS)}`);
}
