import type { Result } from "../harness/result.ts";

/** A line of a soak. */
export type SoakSample = Record<string, number> & { storage: string };

/** What files of results say. */
export interface Results {
  /** By the file's name, e.g. `memory`. */
  loads: Readonly<Record<string, readonly Result[]>>;
  /** By the storage. */
  soaks: Readonly<Record<string, readonly SoakSample[]>>;
}

/** Reads all files of a folder of results. */
export async function readResults(folder: string): Promise<Results> {
  const loads: Record<string, Result[]> = {};
  const soaks: Record<string, SoakSample[]> = {};
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const name of names) {
    if (!name.endsWith(".jsonl")) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const lines = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    const group = name.slice(0, -".jsonl".length);
    if (group.startsWith("soak-")) soaks[group.slice("soak-".length)] = lines;
    else loads[group] = lines;
  }
  return { loads, soaks };
}
