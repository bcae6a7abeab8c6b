// What the operating system says of a process. Linux only; elsewhere nothing is known.

/** Ticks of the processor's clock in a second; on Linux always that many for user space. */
const TICKS_PER_SECOND = 100;

/** Milliseconds of processor time that a process has used, and the children that it waited for. */
export async function cpuMs(pid: number | "self"): Promise<number | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The name, in parentheses, may have blanks; behind it, the state is the third field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return 1000 * ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Bytes of memory that a process has. */
export async function rssBytes(pid: number | "self"): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  } catch {
    return undefined;
  }
}

/** How many processors both sides kept busy meanwhile: 1 is one of them, all the time. */
export interface Busy {
  serverCpu?: number;
  clientCpu?: number;
}

/**
 * Does some work and tells who was busy meanwhile, so that a reader sees which side was full. The
 * client is this process and its children that ended.
 */
export async function watchBusy<T>(
  server: { cpuMs(): Promise<number | undefined> },
  work: () => Promise<T>,
): Promise<{ value: T; busy: Busy }> {
  const startMs = performance.now();
  const [serverMs, clientMs] = [await server.cpuMs(), await cpuMs("self")];
  const value = await work();
  const share = async (now: Promise<number | undefined>, before: number | undefined) => {
    const usedMs = await now;
    return usedMs === undefined || before === undefined
      ? undefined
      : (usedMs - before) / (performance.now() - startMs);
  };
  const busy = {
    serverCpu: await share(server.cpuMs(), serverMs),
    clientCpu: await share(cpuMs("self"), clientMs),
  };
  return { value, busy };
}
