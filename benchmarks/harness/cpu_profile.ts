/** As much of a CPU profile of V8 as is read here, see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/. */
export interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
    /** The nodes of what it called. */
    children?: number[];
  }[];
  /** The node that was running at each sample. */
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
  /** Microseconds, which the tools of browsers ask for. */
  startTime?: number;
  endTime?: number;
}

/** What a function took itself, without those that it called. */
export interface SelfTime {
  name: string;
  /** The file, and the line. */
  place: string;
  /** Of the time in which the thread was busy. */
  share: number;
}

/** The functions that took most of a busy thread, the first one most. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, SelfTime>();
  let busy = 0;
  for (const [i, id] of samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(id)!;
    if (functionName === "(idle)") continue;
    const name = functionName || "(anonymous)";
    const file = url.split("/").slice(-2).join("/");
    // Of native code no line is known.
    const place = file === "" || lineNumber < 0 ? file : `${file}:${lineNumber + 1}`;
    const known = micros.get(`${name} ${place}`) ?? { name, place, share: 0 };
    micros.set(`${name} ${place}`, known);
    known.share += timeDeltas[i]!;
    busy += timeDeltas[i]!;
  }
  return [...micros.values()]
    .map((self) => ({ ...self, share: self.share / busy }))
    .sort((a, b) => b.share - a.share);
}

/** The same as a table, of the first so many. */
export function selfTimeTable(times: readonly SelfTime[], rows: number): string {
  return [
    "| Of busy time | Function | Place |",
    "| ---: | --- | --- |",
    ...times.slice(0, rows).map(({ name, place, share }) =>
      `| ${(100 * share).toFixed(1)} % | \`${name}\` | ${place} |`
    ),
    "",
  ].join("\n");
}
